// SPDX-License-Identifier: Apache-2.0
// The part of the sealer that decides which segments are merged and when, and
// lists what the merger has made.
#include "actors/sealer.hpp"

#include "runtime/segment_files.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

namespace torpor {

/// Nothing is to be sealed or saved: time for merges.
void sealer_state::idle() {
  if (merged_)
    return take(*std::exchange(merged_, nullptr));
  if (all->stopping)
    return end_compactions(fail(errc::shut_down, "the runtime is stopping"));
  if (merging_)
    return;
  if (compacted_.empty() && !asked_.empty()) {
    compacted_.swap(asked_);
    retry();
    save_ = true; // What was deleted before is to go.
    return next();
  }
  if (!compacted_.empty())
    return go_on_compacting();
  if (std::exchange(sweep_, false))
    return start_merge({});
  if (!begun_)
    return;
  if (const auto range = choose(); !range.empty())
    return start_merge(range);
  if (sweep_due())
    start_sweep();
}

// -- sweeping -----------------------------------------------------------------

void sealer_state::sweep() {
  begun_ = true;
  if (!busy_)
    idle();
}

/// Whether a quarter of all sealed bytes was deleted since the last sweep. If
/// not, the shard that deletes the last of them will say so.
bool sealer_state::sweep_due() {
  std::uint64_t bytes = 0;
  for (const auto& each : work.state.segments)
    bytes += each.raw_bytes;
  all->sweep_at = work.state.segments.empty()
                    ? std::numeric_limits<std::uint64_t>::max()
                    : looked_ + bytes / 4 + 1;
  return all->deleted_bytes >= all->sweep_at;
}

/// Deletes say how much is gone, not where: the merger searches all segments,
/// once the catalog knows of them.
void sealer_state::start_sweep() {
  looked_ = all->deleted_bytes;
  sweep_ = true;
  save_ = true;
  if (!busy_)
    next();
}

/// No journal file could be prepared. Segments that are dead can go without
/// room for anything new.
void sealer_state::make_room() {
  full_ = true;
  const auto missed = std::exchange(sweep_missed_, false);
  if ((all->deleted_bytes <= looked_ && !missed) || work.state.segments.empty())
    return;
  merge_failed_ = false;
  start_sweep();
}

/// Removes the dead segments that a sweep has found, and keeps the others in
/// mind. What was deleted since the last seal counts on: its entries may not be
/// in a segment yet.
void sealer_state::take_swept(merge_job& job) {
  if (!job.swept)
    return idle();
  const auto before = std::exchange(
    swept_, std::max(swept_, std::min(job.deleted_bytes, sealed_)));
  wasteful_ = std::move(job.wasteful);
  if (job.dead.empty())
    return idle();
  spdlog::debug("segments-dead count={}", job.dead.size());
  if (!replace(job.dead, nullptr))
    swept_ = before;
}

// -- merging ------------------------------------------------------------------

/// On a full disk only what makes room.
merge_range sealer_state::choose() {
  if (merge_failed_)
    return {};
  const auto& segments = work.state.segments;
  if (!full_)
    if (const auto range = choose_merge(segments, work.journal.file_bytes,
                                        damaged_);
        !range.empty())
      return range;
  while (!wasteful_.empty()) {
    const auto number = wasteful_.back();
    wasteful_.pop_back();
    for (std::size_t at = 0; at < segments.size(); ++at)
      if (segments[at].number == number && !damaged_.contains(number))
        return {at, at + 1};
  }
  return {};
}

/// An empty range: a sweep.
void sealer_state::start_merge(merge_range range) {
  merging_ = true;
  auto job = std::make_shared<merge_job>();
  job->list = work.list;
  job->range = range;
  job->live_max = full_ ? 0.9 : 0.5; // A full disk needs every bit.
  job->deleted_bytes = counted_;
  if (range.empty())
    looked_ = counted_;
  else
    configure(*job);
  self->send(all->merger, merge_atom::value, std::move(job));
}

void sealer_state::configure(merge_job& job) {
  const auto& segments = work.state.segments;
  job.config.store = work.journal.store;
  job.config.number = work.state.next_segment++; // Also when it fails.
  job.config.journal_first = segments[job.range.begin].journal_first;
  job.config.journal_last = segments[job.range.end - 1].journal_last;
  job.config.compression_level = static_cast<int>(work.segments.compression);
}

void sealer_state::merged(std::shared_ptr<merge_job> job) {
  merging_ = false;
  merged_ = std::move(job);
  if (!busy_)
    idle();
}

void sealer_state::take(merge_job& job) {
  if (job.range.empty())
    return take_swept(job);
  if (!*job.merged) {
    const auto& why = job.merged->error();
    if (!job.damaged.empty())
      return pass_over(job);
    merge_failed_ = true;
    note_refusal(why);
    if (why.code != errc::shut_down)
      spdlog::error("merge-failed error=\"{}\"", why.context);
    end_compaction(tl::unexpected{why});
    return idle();
  }
  std::vector<std::uint64_t> sources;
  for (auto at = job.range.begin; at < job.range.end; ++at)
    sources.push_back(job.list->summary(at).number);
  const auto& made = **job.merged;
  spdlog::debug("segments-merged from={} number={} bytes={}", sources.size(),
                made.number, made.file_bytes);
  static_cast<void>(replace(sources, &made));
}

/// Damaged segments stay as they are, and the others go on without them.
void sealer_state::pass_over(const merge_job& job) {
  damaged_.insert(job.damaged.begin(), job.damaged.end());
  for (const auto number : job.damaged)
    spdlog::error("segment-damaged file={} error=\"{}\" hint=\"it is not merged "
                  "any more; run 'torpor verify'\"",
                  segment_file_name(number), job.merged->error().context);
  if (compaction_)
    compaction_->back_to(job.config.journal_first);
  idle();
}

/// Puts a segment, or none, in the place of others. False when the catalog
/// refused.
bool sealer_state::replace(const std::vector<std::uint64_t>& gone,
                           const segment_summary* made) {
  const auto path = [this](std::uint64_t number) {
    return work.segment_directory + "/" + segment_file_name(number);
  };
  const auto empty = made != nullptr && made->streams == 0;
  busy_ = true;
  next_ = work.state;
  replace_segments(next_.segments, gone, empty ? nullptr : made);
  if (const auto done = store_state(); !done) {
    // Perhaps it will be found to have happened: the new file stays.
    merge_failed_ = true;
    end_compaction(tl::unexpected{done.error()});
    failed(done.error());
    return false;
  }
  for (const auto number : gone)
    obsolete_.push_back(path(number));
  if (empty)
    obsolete_.push_back(path(made->number));
  publish();
  return true;
}

void sealer_state::remove_merged() {
  if (obsolete_.empty())
    return;
  auto done = result<void>{};
  for (const auto& path : std::exchange(obsolete_, {}))
    if (auto gone = work.files->unlink(path); !gone)
      done = gone;
  if (done)
    done = work.files->sync_directory(work.segment_directory);
  if (!done) // The next opening removes what is left.
    spdlog::warn("segment-remove-failed error=\"{}\"", done.error().context);
}

// -- compacting ---------------------------------------------------------------

void sealer_state::compact(std::function<void(result<void>)> done) {
  asked_.push_back(std::move(done));
  if (!busy_)
    idle();
}

void sealer_state::go_on_compacting() {
  const auto& segments = work.state.segments;
  if (!compaction_)
    compaction_.emplace(segments);
  if (const auto range = compaction_->next(segments, damaged_); !range.empty())
    return start_merge(range);
  if (damaged_.empty())
    end_compaction({});
  else
    end_compaction(fail(errc::corrupt,
                        fmt::format("{} damaged segments stay as they are, all "
                                    "others are compacted; run 'torpor verify'",
                                    damaged_.size())));
  idle();
}

void sealer_state::end_compaction(const result<void>& outcome) {
  compaction_.reset();
  for (const auto& call : std::exchange(compacted_, {}))
    call(outcome);
}

void sealer_state::end_compactions(const result<void>& outcome) {
  end_compaction(outcome);
  for (const auto& call : std::exchange(asked_, {}))
    call(outcome);
}

} // namespace torpor
