// SPDX-License-Identifier: Apache-2.0
// The part of stream_table that deletes what is not to be kept.
#include "runtime/stream_table.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace torpor {

namespace {

/// Streams that one call looks at.
constexpr std::size_t reviews_max = 1024;
/// What was begun is looked at again, should it have failed.
constexpr std::int64_t again_ms = 1000;
/// A catalog that cannot be read is asked again.
constexpr std::int64_t pause_ms = 60'000;
/// More syncs wait than may be in flight.
constexpr std::int64_t busy_ms = 10;
/// The wall clock may jump: it is asked at least so often.
constexpr std::int64_t sleep_ms_max = 3'600'000;

void log_failure(const error& why) {
  spdlog::error("retention-failed error=\"{}\"", why.context);
}

} // namespace

void stream_table::start_retention() {
  retains_ = true;
  // Rules may be new to streams that sleep: each is looked at once.
  if (const auto& rules = records_.rules().all(); !rules.empty())
    walk_ = {rules.begin()->first, "", 0};
  retain();
}

/// Whether what is on its way says that the stream was used, or how long it
/// stays: only when that is durable can anybody tell that its time is over.
bool stream_table::is_renewed(record_table::row_index row) const {
  const auto at = records_[row].awake;
  if (at == none)
    return false;
  const auto& stream = awake_[at];
  return (stream.buffer != nullptr && stream.buffer->builder.renews())
         || (stream.flight != nullptr && stream.flight->builder.renews());
}

/// Whether nobody may see the stream any more, though it is still there.
bool stream_table::is_gone(record_table::row_index row) const {
  const auto& record = records_[row].record;
  if (!record.settings || is_kept_for_forks(row))
    return false;
  const auto awake = records_[row].awake;
  const auto now = clock_.wall_ms();
  const auto keep = records_.retention(row);
  // Being buried renews nothing: who was gone before stays gone meanwhile.
  if (awake != none && awake_[awake].buried)
    return expired(record, keep, now);
  if (is_renewed(row))
    return false;
  const auto used = awake != none && raw(awake_[awake].next) > raw(record.next);
  return expired(record, keep, now)
         && (!used || (keep.expires_ms != 0 && keep.expires_ms <= now));
}

/// Somebody reads the stream: its time to live begins anew. That is made durable
/// when an eighth of it has passed, and meanwhile holds in this process.
void stream_table::touch(record_table::row_index row) {
  const auto& record = records_[row].record;
  const auto awake = records_[row].awake;
  if (!retains_ || !record.settings
      || (awake != none && (awake_[awake].removed || awake_[awake].buried)))
    return;
  const auto ttl = records_.retention(row).ttl_ms;
  if (ttl == 0)
    return;
  const auto now = clock_.wall_ms();
  auto& seen = record.settings->seen_ms;
  seen = std::max(seen, now);
  const auto used = std::max(record.settings->touched_ms, record.last_ms);
  const auto quiet = static_cast<std::uint64_t>(std::max<std::int64_t>(
    now - used, 0));
  if (quiet < std::max<std::uint64_t>(ttl / 8, 1) || is_renewed(row) || failed_
      || full_ || stopping_)
    return;
  const auto at = wake(row);
  buffer(at).touch(now);
  make_due(at);
  pump();
}

/// What retention deletes goes along with the block that is about to leave.
void stream_table::trim(awake_index at) {
  const auto& stream = awake_[at];
  if (!retains_ || stream.removed)
    return;
  auto& builder = stream.buffer->builder;
  const auto& record = records_[stream.row].record;
  const auto keep = builder.retention()
                      ? records_.rules().of(record.name, *builder.retention())
                      : records_.retention(stream.row);
  if (keep == retention_policy{})
    return;
  if (const auto from = cut(record, keep, clock_.wall_ms(),
                            {builder.next(), builder.entry_bytes()}))
    builder.truncate(*from);
}

void stream_table::remove_expired(record_table::row_index row) {
  if (!retains_ || failed_ || stopping_)
    return;
  const auto at = wake(row);
  if (awake_[at].removed || awake_[at].buried)
    return;
  end(at);
  make_due(at);
}

/// Deletes what one stream has too much of, and plans the next look.
void stream_table::retain(record_table::row_index row, std::int64_t now_ms) {
  auto& record = records_[row].record;
  const auto keep = records_.retention(row);
  // Nothing may come behind the block that removes a stream; it may fail.
  if (const auto at = records_[row].awake; at != none && awake_[at].removed)
    return records_.plan_review(row, keep, now_ms + again_ms);
  if (is_buried(row)) {
    doubt_pins(row);
    return records_.plan_review(row, keep, now_ms + sleep_ms_max);
  }
  // Never used so far: its time to live begins now.
  if (keep.ttl_ms != 0 && record.last_ms == 0
      && settings_of(record).touched_ms == 0)
    settings_of(record).touched_ms = now_ms;
  const auto excess = cut(record, keep, now_ms, {record.next, 0});
  if (is_gone(row)) {
    remove_expired(row);
  } else if (excess || (records_[row].awake != none
                        && expired(record, keep, now_ms))) {
    // What leaves takes the cut along, or shows that the stream was used.
    const auto at = wake(row);
    static_cast<void>(buffer(at));
    make_due(at);
  } else {
    return records_.plan_review(row, keep, now_ms + 1);
  }
  records_.plan_review(row, keep, now_ms + again_ms);
}

/// How many streams may be looked at now: deletions do not fill the queue in
/// front of appends, nor what is left of a full disk.
std::size_t stream_table::reviews_now() const {
  constexpr std::size_t reviews_full = 64;
  const auto busy = queue_.size() + in_flight_;
  const auto window = std::size_t{config_.sync.window};
  return std::min(full_ ? reviews_full : reviews_max,
                  window > busy ? window - busy : 0);
}

void stream_table::retain() {
  if (review_at_ <= clock_.monotonic_ms())
    review_at_ = 0;
  if (!retains_ || failed_ || stopping_)
    return;
  const auto now = clock_.wall_ms();
  auto pause = full_ ? again_ms : 0;
  const auto due = records_.take_reviews(now, reviews_now());
  if (!due) {
    log_failure(due.error());
    pause = pause_ms;
  } else {
    for (const auto id : *due)
      retain(id, now);
  }
  if (walk_)
    pause = std::max(pause, walk(now));
  pump();
  arm_review(pause);
}

void stream_table::retain(stream_id id, std::int64_t now_ms) {
  const auto row = records_.find(id);
  if (!row) {
    log_failure(row.error());
    records_.review_again(id, now_ms + pause_ms);
  } else if (*row != record_table::none && !records_[*row].unborn) {
    retain(*row, now_ms);
  }
}

/// A step of the walk over all streams that have a rule. Returns the pause
/// before the next: what it plans stays in memory until it is saved.
std::int64_t stream_table::walk(std::int64_t now_ms) {
  constexpr std::size_t planned_max = 65'536;
  if (reviews_now() == 0)
    return 0;
  auto& [prefix, after, planned] = *walk_;
  const auto names = records_.list(prefix, after, reviews_max);
  if (!names) {
    log_failure(names.error());
    return pause_ms;
  }
  const auto before = records_.dirty();
  for (const auto& [name, id] : *names)
    retain(id, now_ms);
  planned += records_.dirty() - before;
  const auto ends = names->size() < reviews_max;
  const auto saves = planned > (ends ? 0 : planned_max);
  if (saves) {
    out_.save = true;
    planned = 0;
  }
  if (!ends) {
    after = names->back().first;
    return saves ? again_ms : 0;
  }
  const auto& rules = records_.rules().all();
  if (const auto next = rules.upper_bound(prefix); next != rules.end())
    walk_ = {next->first, "", 0};
  else
    walk_.reset();
  return 0;
}

/// Has the wheel call when the next review is due, but not before a pause: one
/// timer for all streams.
void stream_table::arm_review(std::int64_t pause) {
  const auto next = records_.next_review();
  if (next && !*next && !walk_)
    return;
  auto delay = walk_ ? 0 : sleep_ms_max;
  if (!next)
    delay = pause_ms;
  else if (*next)
    delay = std::min(delay, **next - clock_.wall_ms());
  // While the queue is long, what is due waits for its turn.
  delay = std::clamp(std::max(delay, reviews_now() > 0 ? pause : busy_ms),
                     std::int64_t{1}, sleep_ms_max);
  const auto tick = clock_.monotonic_ms() + static_cast<std::uint64_t>(delay);
  if (review_at_ != 0 && review_at_ <= tick)
    return;
  review_at_ = tick;
  out_.deadlines.push_back({review_timer(config_.shard, config_.shards), tick});
}

} // namespace torpor
