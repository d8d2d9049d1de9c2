// SPDX-License-Identifier: Apache-2.0
#include "actors/merger.hpp"

#include "runtime/segment_files.hpp"
#include "runtime/segment_merge.hpp"
#include "runtime/segment_verify.hpp"

#include <algorithm>
#include <functional>

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

/// Finds the segments of which nothing, or little enough, is still wanted.
void sweep(merge_job& job, const kept_from& kept) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
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
    else if (static_cast<double>(live->bytes)
             < static_cast<double>(summary.raw_bytes) * job.live_max)
      found.emplace_back(live->bytes, summary.number);
  }
  std::sort(found.begin(), found.end(), std::greater{});
  for (const auto& [bytes, number] : found)
    job.wasteful.push_back(number);
  job.swept = true;
}

/// Whether a source will never be read: it is damaged, or gone, or has a sector
/// that the disk does not give. One that cannot be opened now, for want of
/// descriptors, is none of that.
bool is_lost(disk& files, const std::string& directory, const merge_job& job,
             std::size_t at) {
  const auto report = job.list->open(at).and_then(
    [](const auto& opened) { return verify_segment(opened); });
  if (report || report.error().code != errc::io_failed)
    return !report || !report->damages.empty();
  return !is_withheld(files, directory, job.list->summary(at).number);
}

/// Finds which of the sources keep the others from being merged.
void find_damaged(disk& files, const std::string& directory, merge_job& job) {
  for (auto at = job.range.begin; at < job.range.end; ++at)
    if (is_lost(files, directory, job, at))
      job.damaged.push_back(job.list->summary(at).number);
}

/// Whether a failure is that of reading one of them.
bool names_one(const error& why,
               const std::vector<std::shared_ptr<const segment>>& sources) {
  return std::any_of(sources.begin(), sources.end(), [&](const auto& each) {
    return why.context.find("'" + each->path() + "'") != std::string::npos;
  });
}

/// The sources of a merge. Errors: those of opening one.
result<std::vector<std::shared_ptr<const segment>>>
open_sources(const merge_job& job) {
  std::vector<std::shared_ptr<const segment>> sources;
  for (auto at = job.range.begin; at < job.range.end; ++at) {
    auto opened = job.list->open(at);
    if (!opened)
      return tl::unexpected{opened.error()};
    sources.push_back(std::move(*opened));
  }
  return sources;
}

} // namespace

void merger_state::work(merge_job& job) {
  const auto reader = with.records->reader();
  const auto kept = kept_in(*reader, all->stopping);
  if (job.range.empty())
    return sweep(job, kept);
  const auto sources = open_sources(job);
  job.merged = sources.and_then([&](const auto& opened) {
    return merge_segments(*with.files, opened, with.segment_directory,
                          job.config, kept,
                          [this] { return all->stopping.load(); });
  });
  if (*job.merged)
    return;
  const auto& why = job.merged->error();
  if (why.code == errc::corrupt
      || (why.code == errc::io_failed
          && (!sources || names_one(why, *sources))))
    find_damaged(*with.files, with.segment_directory, job);
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
