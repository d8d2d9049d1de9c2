// SPDX-License-Identifier: Apache-2.0
#include "actors/sealer.hpp"

#include "actors/countdown.hpp"
#include "runtime/safety_step.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace torpor {

namespace {

/// Records of one catalog transaction: a shard copies them in about 2 ms.
constexpr std::size_t chunk = 8192;

} // namespace

sealer_state::~sealer_state() {
  end_compactions(fail(errc::shut_down, "the runtime is stopping"));
}

void sealer_state::begin(tools given, std::shared_ptr<roster> others) {
  work = std::move(given);
  all = std::move(others);
  counted_ = filled_ = sealed_ = work.state.deleted_bytes;
  tell_size();
  static_cast<void>(sweep_due()); // The shards are to tell.
}

void sealer_state::prepare(std::uint32_t number) {
  auto made = work.file->prepare(number);
  const auto done = made.has_value();
  self->send(all->journal, spare_atom::value,
             handoff<prepared_file>{std::make_unique<prepared_file>(
               prepared_file{number, std::move(made)})});
  if (!done)
    return make_room();
  if (!std::exchange(full_, false))
    return;
  retry();
  if (!busy_)
    next();
}

void sealer_state::seal(std::uint32_t last, std::uint64_t frame_end,
                        std::function<void()> done) {
  last_ = std::max(last_, last);
  frame_end_ = frame_end;
  filled_ = all->deleted_bytes;
  begun_ = begun_ || frame_end == 0;
  seal_failed_ = false;
  if (done)
    done_.push_back(std::move(done));
  if (!busy_)
    next();
}

void sealer_state::save() {
  save_ = true;
  if (!busy_)
    next();
}

void sealer_state::next() {
  busy_ = true;
  next_ = work.state;
  const auto sealed = seal_enough();
  next_.next_segment = work.state.next_segment; // Used up, also by a failure.
  if (!sealed) {
    spdlog::error("seal-failed error=\"{}\"", sealed.error().context);
    seal_failed_ = true;
    note_refusal(sealed.error());
  }
  if (sealed && *sealed)
    return start_checkpoint();
  if ((seal_failed_ || frame_end_ != 0) && work.state.journal_first <= last_) {
    // The records are saved though the entries stay where they are.
    next_.journal_first = last_ + 1;
    return start_checkpoint();
  }
  if (save_)
    return start_checkpoint();
  rest();
}

/// What failed may go well now.
void sealer_state::retry() {
  seal_failed_ = false;
  merge_failed_ = false;
  sweep_missed_ = false;
  looked_ = swept_;
}

/// What failed for want of room is tried again when a journal file could be
/// prepared.
void sealer_state::note_refusal(const error& why) {
  full_ = full_ || why.code == errc::io_failed;
}

/// Makes a segment of full journal files; false when they are too few.
result<bool> sealer_state::seal_enough() {
  if (seal_failed_)
    return false;
  const auto range = plan_seal(
    *work.files, work.journal,
    {static_cast<std::uint32_t>(work.state.unsealed_first), last_,
     work.state.frame_first, frame_end_});
  if (!range)
    return tl::unexpected{range.error()};
  if (!*range)
    return false;
  if (auto sealed = seal(**range); !sealed)
    return tl::unexpected{sealed.error()};
  retry();
  return true;
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
  save_ = false;
  // What is deleted from here on may be missing in the records.
  counted_ = all->deleted_bytes;
  shard_ = 0;
  for (const auto& each : all->shards)
    self->send(each, ask_atom::value, table_task{[](stream_table& table) {
                 table.records().begin_checkpoint();
               }});
  if (!does(safety_step::checkpoint_order))
    return finish_checkpoint();
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
  if (const auto done = store_state(); !done)
    return failed(done.error());
  spdlog::debug("checkpoint-done journal-first={} unsealed-first={} segments={}",
                work.state.journal_first, work.state.unsealed_first,
                work.state.segments.size());
  if (work.state.unsealed_first > last_)
    sealed_ = filled_;
  publish();
}

/// Files are removed when no shard sends readers to them any more. A read that
/// is on its way asks its shard again.
void sealer_state::publish() {
  work.list = work.list->with(work.state.segments);
  tell_size();
  const sealer_actor me{self};
  const auto last = countdown([me] { caf::anon_send(me, known_atom::value); });
  const auto sealed = static_cast<std::uint32_t>(work.state.unsealed_first - 1);
  for (const auto& each : all->shards)
    self->send(each, ask_atom::value,
               table_task{[last, sealed, list = work.list](stream_table& table) {
                 table.sealed(sealed, list);
               }});
}

void sealer_state::tell_size() const {
  std::uint64_t bytes = 0;
  for (const auto& each : work.state.segments)
    bytes += each.file_bytes;
  all->segments = work.state.segments.size();
  all->segment_bytes = bytes;
}

void sealer_state::known() {
  const auto first = static_cast<std::uint32_t>(work.state.unsealed_first);
  for (const auto& each : all->readers)
    self->send(each, forget_atom::value, first);
  // Behind a marked end nothing comes, so its file stays.
  const auto newest = frame_end_ != 0 ? last_ : last_ + 1;
  if (const auto gone
      = remove_sealed(*work.files, work.journal, first, newest,
                      work.kept_before);
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

/// Makes `next_` the state. Segments that wait to be rewritten are forgotten
/// when the store is closed: then they count as not looked for.
result<void> sealer_state::store_state() {
  next_.deleted_bytes = counted_ - (wasteful_.empty() ? swept_ : 0);
  std::vector<catalog_change> nothing;
  auto done = work.records->update(nothing, next_);
  if (done)
    work.state = next_;
  return done;
}

/// What could not be done is tried again when the next file is full.
void sealer_state::failed(const error& why) {
  spdlog::error("checkpoint-failed error=\"{}\"", why.context);
  note_refusal(why);
  save_ = false;
  sweep_missed_ = std::exchange(sweep_, false) || sweep_missed_;
  if (!compaction_) // It waits for this checkpoint.
    end_compaction(tl::unexpected{why});
  rest();
}

void sealer_state::rest() {
  busy_ = false;
  if (all->stopping)
    end_compactions(fail(errc::shut_down, "the runtime is stopping"));
  for (const auto& call : std::exchange(done_, {}))
    call();
  idle();
}

sealer_actor::behavior_type
sealer(sealer_actor::stateful_pointer<sealer_state> self,
       sealer_state::tools work, std::shared_ptr<roster> all) {
  auto& state = self->state;
  state.self = self;
  state.begin(std::move(work), std::move(all));
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
    [&state](save_atom) { state.save(); },
    [&state](sweep_atom) { state.sweep(); },
    [&state](known_atom) { state.known(); },
    [&state](shrunk_atom, std::uint32_t shard, std::uint64_t steps) {
      state.shrink(shard, steps);
    },
  };
}

} // namespace torpor
