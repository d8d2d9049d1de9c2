// SPDX-License-Identifier: Apache-2.0
#include "actors/reader.hpp"

namespace torpor {

void reader_state::read(std::unique_ptr<read_job> job) {
  if (!job)
    return;
  auto page = blocks->run(*job);
  job->request->sink->done(std::move(page));
}

reader_actor::behavior_type
reader(reader_actor::stateful_pointer<reader_state> self,
       std::shared_ptr<torpor::disk> disk, std::string journal_directory) {
  auto& state = self->state;
  state.blocks = std::make_unique<block_reader>(
    *disk, std::move(journal_directory));
  return {
    // The disk lives as long as its last reader.
    [&state, disk](read_atom, const handoff<read_job>& job) {
      state.read(job.take());
    },
  };
}

} // namespace torpor
