// SPDX-License-Identifier: Apache-2.0
#include "actors/merger.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace torpor {

namespace {

/// Gives way to whoever waits for a commit. Without the right to do so, the
/// thread stays as it is.
void lower_priority() {
  static_cast<void>(::setpriority(PRIO_PROCESS,
                                  static_cast<id_t>(::gettid()), 10));
}

/// The catalog may know of more than is left, never of less: a segment is
/// listed in the transaction that saves the records of all its streams.
kept_from kept_in(catalog_reader& records) {
  return [&records](stream_id stream) -> result<std::optional<sequence>> {
    auto record = records.find(stream);
    if (!record)
      return tl::unexpected{record.error()};
    if (!*record)
      return std::nullopt;
    return (*record)->first;
  };
}

/// Numbers of the segments of which less than half is still wanted.
std::vector<std::uint64_t> wasteful_of(const segment_list& list,
                                       const kept_from& kept,
                                       const std::atomic<bool>& stopping) {
  std::vector<std::uint64_t> found;
  for (std::size_t at = 0; at < list.size() && !stopping; ++at) {
    const auto opened = list.open(at);
    const auto live = opened ? find_live(*opened, kept)
                             : result<live_part>{
                               tl::unexpected{opened.error()}};
    if (live && live->bytes * 2 < list.summary(at).raw_bytes)
      found.push_back(list.summary(at).number);
  }
  return found;
}

} // namespace

void merger_state::work(merge_job& job) {
  const auto reader = with.records->reader();
  const auto kept = kept_in(*reader);
  if (job.range.empty()) {
    job.wasteful = wasteful_of(*job.list, kept, all->stopping);
    return;
  }
  std::vector<std::shared_ptr<const segment>> sources;
  for (auto at = job.range.begin; at < job.range.end; ++at) {
    auto opened = job.list->open(at);
    if (!opened) {
      job.merged = result<segment_summary>{tl::unexpected{opened.error()}};
      return;
    }
    sources.push_back(std::move(*opened));
  }
  job.merged = merge_segments(*with.files, sources, with.segment_directory,
                              job.config, kept,
                              [this] { return all->stopping.load(); });
}

merger_actor::behavior_type
merger(merger_actor::stateful_pointer<merger_state> self,
       merger_state::tools with, std::shared_ptr<roster> all) {
  auto& state = self->state;
  state.self = self;
  state.with = std::move(with);
  state.all = std::move(all);
  return {
    [&state](merge_atom, const std::shared_ptr<merge_job>& job) {
      if (std::exchange(state.with.own_thread, false))
        lower_priority();
      state.work(*job);
      state.self->send(state.all->sealer, merged_atom::value, job);
    },
  };
}

} // namespace torpor
