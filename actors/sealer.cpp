// SPDX-License-Identifier: Apache-2.0
#include "actors/sealer.hpp"

#include "actors/countdown.hpp"
#include "runtime/segment_files.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace torpor {

namespace {

/// Records of one catalog transaction: a shard copies them in about 2 ms.
constexpr std::size_t chunk = 8192;

/// So many files are sealed however little is in them.
constexpr std::uint32_t files_max = 16;

/// A clean stop leaves at most this much to be replayed.
constexpr std::uint64_t replay_bytes = 4u << 20;

} // namespace

void sealer_state::prepare(std::uint32_t number) {
  auto made = journal::prepare(*work.files, work.journal, number);
  self->send(all->journal, spare_atom::value,
             handoff<prepared_file>{std::make_unique<prepared_file>(
               prepared_file{number, std::move(made)})});
}

void sealer_state::seal(std::uint32_t last, std::uint64_t frame_end,
                        std::function<void()> done) {
  last_ = std::max(last_, last);
  frame_end_ = frame_end;
  if (done)
    done_.push_back(std::move(done));
  if (!busy_)
    next();
}

void sealer_state::next() {
  busy_ = true;
  next_ = work.state;
  const auto range = enough();
  auto sealed = result<void>{};
  if (!range)
    sealed = tl::unexpected{range.error()};
  else if (*range)
    sealed = seal(**range);
  if (!sealed)
    spdlog::error("seal-failed error=\"{}\"", sealed.error().context);
  if (sealed && *range) {
    merge_failed_ = false;
  } else if ((!sealed || frame_end_ != 0)
             && work.state.journal_first <= last_) {
    // The records are saved though the entries stay where they are.
    next_.journal_first = last_ + 1;
  } else {
    return rest();
  }
  start_checkpoint();
}

/// The files to be sealed next: as many as make a segment of about one file's
/// size. nullopt: too little for one.
result<std::optional<seal_range>> sealer_state::enough() {
  const auto full = work.journal.file_bytes;
  seal_range range;
  range.first = static_cast<std::uint32_t>(work.state.unsealed_first);
  range.frame_first = work.state.frame_first;
  std::uint64_t bytes = 0;
  const auto behind_of = [this](std::uint32_t last) {
    return last == last_ && frame_end_ != 0
             ? result<std::optional<std::uint64_t>>{frame_end_}
             : frame_behind(*work.files, work.journal, last, last_ + 1);
  };
  for (auto number = range.first; number <= last_; ++number) {
    // A fenced file may have no frame that counts: then one more.
    if (bytes >= full && range.frame_end > range.frame_first)
      break;
    const auto more = journal_file_bytes(*work.files, work.journal, number);
    if (!more)
      return tl::unexpected{more.error()};
    bytes += *more;
    range.last = number;
    const auto behind = behind_of(number);
    if (!behind)
      return tl::unexpected{behind.error()};
    range.frame_end = behind->value_or(frame_end_);
  }
  const auto least = frame_end_ != 0 ? std::min(replay_bytes, full / 2)
                                     : full / 2;
  if (range.last == 0
      || (bytes < least && range.last - range.first + 1 < files_max))
    return std::nullopt;
  return range.frame_end > range.frame_first ? std::optional{range}
                                             : std::nullopt;
}

result<void> sealer_state::seal(const seal_range& range) {
  segment_config config;
  config.store = work.journal.store;
  config.number = work.state.next_segment++; // Also when this one fails.
  config.journal_first = range.first;
  config.journal_last = range.last;
  config.compression_level = static_cast<int>(work.segments.compression);
  auto sealed = seal_journal(*work.files, work.journal, range,
                             work.segment_directory, config);
  if (!sealed)
    return tl::unexpected{sealed.error()};
  next_.next_segment = work.state.next_segment;
  next_.unsealed_first = range.last + 1;
  next_.journal_first = std::max(next_.journal_first, next_.unsealed_first);
  next_.frame_first = range.frame_end;
  next_.segments.push_back(*sealed);
  return {};
}

// A record that is saved may be newer than the journal position of the
// checkpoint: replaying older blocks onto it changes nothing (see `apply`).
// So shards give their records chunk by chunk, each chunk is a transaction of
// its own, and only the last one moves the position.
void sealer_state::start_checkpoint() {
  shard_ = 0;
  for (const auto& each : all->shards)
    self->send(each, ask_atom::value, table_task{[](stream_table& table) {
                 table.records().begin_checkpoint();
               }});
  collect(true);
}

void sealer_state::collect(bool success) {
  const sealer_actor me{self};
  self->send(all->shards[shard_], ask_atom::value,
             table_task{[me, success](stream_table& table) {
               auto& records = table.records();
               records.saved(success);
               auto changes = std::make_shared<std::vector<catalog_change>>();
               if (success)
                 *changes = records.collect(chunk);
               caf::anon_send(me, saved_atom::value, std::move(changes));
             }});
}

void sealer_state::saved(std::vector<catalog_change>& changes) {
  if (changes.empty()) {
    if (++shard_ < all->shards.size())
      return collect(true);
    return finish_checkpoint();
  }
  const auto done = work.records->update(changes, std::nullopt);
  if (done)
    return collect(true);
  // All that is left of this checkpoint is tried again with the next one.
  for (; shard_ < all->shards.size(); ++shard_)
    self->send(all->shards[shard_], ask_atom::value,
               table_task{[](stream_table& table) {
                 table.records().saved(false);
               }});
  failed(done.error());
}

/// From here on the segment counts, and the journal files do not.
void sealer_state::finish_checkpoint() {
  std::vector<catalog_change> nothing;
  if (const auto done = work.records->update(nothing, next_); !done)
    return failed(done.error());
  work.state = next_;
  spdlog::debug("checkpoint-done journal-first={} unsealed-first={} segments={}",
                work.state.journal_first, work.state.unsealed_first,
                work.state.segments.size());
  publish();
}

/// Files are removed when no shard sends readers to them any more. A read that
/// is on its way asks its shard again.
void sealer_state::publish() {
  work.list = work.list->with(work.state.segments);
  const sealer_actor me{self};
  const auto last = countdown([me] { caf::anon_send(me, known_atom::value); });
  const auto sealed = static_cast<std::uint32_t>(work.state.unsealed_first - 1);
  for (const auto& each : all->shards)
    self->send(each, ask_atom::value,
               table_task{[last, sealed, list = work.list](stream_table& table) {
                 table.sealed(sealed, list);
               }});
}

void sealer_state::known() {
  const auto first = static_cast<std::uint32_t>(work.state.unsealed_first);
  for (const auto& each : all->readers)
    self->send(each, forget_atom::value, first);
  // Behind a marked end nothing comes, so its file stays.
  const auto newest = frame_end_ != 0 ? last_ : last_ + 1;
  if (const auto gone
      = remove_sealed(*work.files, work.journal, first, newest);
      !gone)
    spdlog::warn("journal-remove-failed error=\"{}\"", gone.error().context);
  remove_merged();
  for (std::uint32_t at = 0; at < all->shards.size(); ++at)
    shrink(at, ~std::uint64_t{0});
  next();
}

/// Lets a shard give up rows that nothing pins any more, bit by bit. It looks
/// at each at most twice.
void sealer_state::shrink(std::uint32_t shard, std::uint64_t steps) {
  if (steps == 0)
    return;
  const sealer_actor me{self};
  self->send(all->shards[shard], ask_atom::value,
             table_task{[me, shard, steps](stream_table& table) {
               auto& records = table.records();
               const auto most = std::min<std::uint64_t>(
                 steps, 2 * records.in_memory());
               const auto now = std::min<std::uint64_t>(most, chunk);
               if (records.evict(now))
                 caf::anon_send(me, shrunk_atom::value, shard, most - now);
             }});
}

/// What could not be done is tried again when the next file is full.
void sealer_state::failed(const error& why) {
  spdlog::error("seal-failed error=\"{}\"", why.context);
  rest();
}

void sealer_state::rest() {
  busy_ = false;
  if (all->stopping)
    compacted(fail(errc::shut_down, "the runtime is stopping"));
  for (const auto& call : std::exchange(done_, {}))
    call();
  idle();
}

// -- merging ------------------------------------------------------------------

/// Nothing is to be sealed: time for merges.
void sealer_state::idle() {
  if (merged_)
    return take_merged();
  if (merging_)
    return;
  if (all->stopping)
    return compacted(fail(errc::shut_down, "the runtime is stopping"));
  if (!compacted_.empty()) {
    if (const auto range = choose_compact(); !range.empty())
      return start_merge(range);
    return compacted({});
  }
  if (merge_failed_)
    return;
  if (const auto range = choose(); !range.empty())
    return start_merge(range);
  // Truncations and deletes say how much is gone, not where.
  std::uint64_t entries = 0;
  for (const auto& each : work.state.segments)
    entries += each.entries;
  const auto deleted = all->deleted.load();
  if (entries > 0 && (deleted - swept_) * 4 > entries) {
    swept_ = deleted;
    start_merge({});
  }
}

merge_range sealer_state::choose() {
  const auto& segments = work.state.segments;
  const auto range = choose_merge(segments, work.journal.file_bytes);
  if (!range.empty())
    return range;
  while (!wasteful_.empty()) {
    const auto number = wasteful_.back();
    wasteful_.pop_back();
    for (std::size_t at = 0; at < segments.size(); ++at)
      if (segments[at].number == number)
        return {at, at + 1};
  }
  return {};
}

/// Passes over all segments, many at a time, until one is left.
merge_range sealer_state::choose_compact() {
  const auto size = work.state.segments.size();
  if (compact_at_ >= size) {
    if (size <= 1 || !compact_did_)
      return {};
    compact_at_ = 0;
  }
  const merge_range range{compact_at_,
                          std::min(compact_at_ + merge_sources_max, size)};
  ++compact_at_; // What they become.
  compact_did_ = true;
  return range;
}

void sealer_state::start_merge(merge_range range) {
  merging_ = true;
  auto job = std::make_shared<merge_job>();
  job->list = work.list;
  job->range = range;
  if (!range.empty()) {
    const auto& segments = work.state.segments;
    job->config.store = work.journal.store;
    job->config.number = work.state.next_segment++;
    job->config.journal_first = segments[range.begin].journal_first;
    job->config.journal_last = segments[range.end - 1].journal_last;
    job->config.compression_level
      = static_cast<int>(work.segments.compression);
  }
  self->send(all->merger, merge_atom::value, std::move(job));
}

void sealer_state::merged(std::shared_ptr<merge_job> job) {
  merging_ = false;
  if (job->range.empty())
    wasteful_ = std::move(job->wasteful);
  else
    merged_ = std::move(job);
  if (!busy_)
    idle();
}

/// Puts the new segment in the place of those it was made of.
void sealer_state::take_merged() {
  const auto job = std::exchange(merged_, nullptr);
  if (!*job->merged) {
    const auto& why = job->merged->error();
    merge_failed_ = true;
    if (why.code != errc::shut_down)
      spdlog::error("merge-failed error=\"{}\"", why.context);
    return compacted(tl::unexpected{why});
  }
  busy_ = true;
  next_ = work.state;
  auto& segments = next_.segments;
  const auto [begin, end] = job->range;
  const auto first = std::find_if(
    segments.begin(), segments.end(), [&, from = begin](const auto& each) {
      return each.number == job->list->summary(from).number;
    });
  const auto place = segments.erase(
    first, first + static_cast<std::ptrdiff_t>(end - begin));
  const auto& made = **job->merged;
  if (made.streams > 0)
    segments.insert(place, made);
  std::vector<catalog_change> nothing;
  if (const auto done = work.records->update(nothing, next_); !done) {
    // Perhaps it will be found to have happened: the new file stays.
    merge_failed_ = true;
    compacted(tl::unexpected{done.error()});
    return failed(done.error());
  }
  work.state = next_;
  spdlog::debug("segments-merged from={} number={} bytes={}", end - begin,
                made.number, made.file_bytes);
  for (auto at = begin; at < end; ++at)
    obsolete_.push_back(job->list->path(at));
  if (made.streams == 0)
    obsolete_.push_back(work.segment_directory + "/"
                        + segment_file_name(made.number));
  publish();
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

void sealer_state::compact(std::function<void(result<void>)> done) {
  if (compacted_.empty()) {
    compact_at_ = 0;
    compact_did_ = false;
  }
  compacted_.push_back(std::move(done));
  if (!busy_)
    idle();
}

void sealer_state::compacted(const result<void>& outcome) {
  for (const auto& call : std::exchange(compacted_, {}))
    call(outcome);
}

sealer_actor::behavior_type
sealer(sealer_actor::stateful_pointer<sealer_state> self,
       sealer_state::tools work, std::shared_ptr<roster> all) {
  auto& state = self->state;
  state.self = self;
  state.work = std::move(work);
  state.all = std::move(all);
  return {
    [&state](prepare_atom, std::uint32_t number) { state.prepare(number); },
    [&state](seal_atom, std::uint32_t last, std::uint64_t frame_end,
             const std::function<void()>& done) {
      state.seal(last, frame_end, done);
    },
    [&state](saved_atom,
             const std::shared_ptr<std::vector<catalog_change>>& changes) {
      state.saved(*changes);
    },
    [&state](merged_atom, const std::shared_ptr<merge_job>& job) {
      state.merged(job);
    },
    [&state](compact_atom, const std::function<void(result<void>)>& done) {
      state.compact(done);
    },
    [&state](known_atom) { state.known(); },
    [&state](shrunk_atom, std::uint32_t shard, std::uint64_t steps) {
      state.shrink(shard, steps);
    },
  };
}

} // namespace torpor
