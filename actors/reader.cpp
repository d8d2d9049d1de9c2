// SPDX-License-Identifier: Apache-2.0
#include "actors/reader.hpp"

namespace torpor {

void reader_state::read(std::unique_ptr<read_job> job) {
  if (!job)
    return;
  auto page = blocks->run(*job);
  auto& request = job->request;
  // The file may have been sealed or merged away meanwhile: the shard knows
  // what took its place.
  const auto again = !page && page.error().code == errc::io_failed
                     && !std::exchange(request->repeated, true);
  const auto send = [&](stream_id stream, std::unique_ptr<read_request> it) {
    self->send(all->shard(stream), read_atom::value,
               handoff<read_request>{std::move(it)});
  };
  if (again)
    return send(job->page.stream, std::move(request));
  if (page && request->heir) {
    auto inherited = for_heir(std::move(*page), *request->heir);
    if (!inherited) {
      const auto whose = request->heir->stream; // Before it is moved from.
      return send(whose, to_heir(std::move(request)));
    }
    page = std::move(*inherited);
  }
  request->sink->done(std::move(page));
}

reader_actor::behavior_type
reader(reader_actor::stateful_pointer<reader_state> self,
       std::shared_ptr<torpor::disk> disk, std::string journal_directory,
       std::shared_ptr<roster> all) {
  auto& state = self->state;
  state.self = self;
  state.all = std::move(all);
  state.blocks = std::make_unique<block_reader>(
    *disk, std::move(journal_directory));
  return {
    // The disk lives as long as its last reader.
    [&state, disk](read_atom, const handoff<read_job>& job) {
      state.read(job.take());
    },
    [&state](forget_atom, std::uint32_t first) {
      state.blocks->forget(first);
    },
  };
}

} // namespace torpor
