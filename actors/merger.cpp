// SPDX-License-Identifier: Apache-2.0
#include "actors/merger.hpp"

#include "runtime/segment_merge.hpp"

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
kept_from kept_in(catalog_reader& records, const std::atomic<bool>& stopping) {
  return [&](stream_id stream) -> result<std::optional<sequence>> {
    if (stopping)
      return fail(errc::shut_down, "the runtime is stopping");
    auto record = records.find(stream);
    if (!record)
      return tl::unexpected{record.error()};
    if (!*record)
      return std::nullopt;
    return (*record)->first;
  };
}

/// Finds the segments of which nothing, or less than half, is still wanted.
void sweep(merge_job& job, const kept_from& kept) {
  for (std::size_t at = 0; at < job.list->size(); ++at) {
    const auto live = job.list->open(at).and_then([&](const auto& opened) {
      return find_live(opened, kept);
    });
    const auto& summary = job.list->summary(at);
    if (!live && live.error().code == errc::shut_down)
      return;
    if (!live) // A merge of it, or a read, says so.
      continue;
    if (live->entries == 0)
      job.dead.push_back(summary.number);
    else if (live->bytes * 2 < summary.raw_bytes)
      job.wasteful.push_back(summary.number);
  }
  job.swept = true;
}

} // namespace

void merger_state::work(merge_job& job) {
  const auto reader = with.records->reader();
  const auto kept = kept_in(*reader, all->stopping);
  if (job.range.empty())
    return sweep(job, kept);
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
