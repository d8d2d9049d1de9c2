// SPDX-License-Identifier: Apache-2.0
#include "actors/journal_writer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace torpor {

namespace {

/// A frame takes at most this much, so that the first of many blocks do not
/// wait for the last; one larger block comes alone.
constexpr std::uint64_t frame_bytes_aim = 8u << 20;

/// After this the disk may have room again.
constexpr std::chrono::milliseconds retry_delay{1000};

} // namespace

/// One frame a turn: what it answers runs on this thread next, before the
/// following frame waits for the disk.
void journal_state::commit() {
  all->queue.take(waiting_);
  if (!waiting_.empty() && commit_some() && !waiting_.empty())
    self->send(self, commit_atom::value);
}

/// How many of the waiting blocks go into the next frame. While there is no room
/// for another file those with entries, which may have to wait and must not have
/// the reserve, do not go with others.
std::size_t journal_state::next_frame() const {
  auto most = std::min(work.file->frame_bytes_max(), frame_bytes_aim);
  if (held_)
    most = std::min(most, work.file->room());
  std::uint64_t bytes = waiting_.front()->bytes.size();
  std::size_t count = 1;
  const auto entries = waiting_.front()->builder.count() > 0;
  const auto apart = held_ || prepare_failed_;
  while (count < waiting_.size()
         && (!apart || entries == (waiting_[count]->builder.count() > 0))
         && bytes + waiting_[count]->bytes.size() <= most)
    bytes += waiting_[count++]->bytes.size();
  return count;
}

/// On a full disk removes and closes go before entries: they are what makes
/// room. A stream has one block on its way, so no order is broken.
void journal_state::let_small_ones_pass() {
  std::stable_partition(waiting_.begin(), waiting_.end(),
                        [](const pending_block* block) {
                          return block->builder.count() == 0;
                        });
}

/// Commits one frame. False when the blocks have to wait.
bool journal_state::commit_some() {
  if (held_)
    let_small_ones_pass();
  const auto count = next_frame();
  frame_.assign(waiting_.begin(),
                waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  std::uint64_t bytes = 0;
  for (const auto* block : frame_)
    bytes += block->bytes.size();
  // A file that is being made is awaited, not made a second time, and a full
  // disk is not asked for one with every block that comes. While none can be
  // made, the last bytes are for what makes room.
  const auto kept = prepare_failed_ && waiting_.front()->builder.count() > 0
                      ? work.reserve_bytes
                      : 0;
  if ((preparing_ != 0 || held_ || kept != 0)
      && work.file->room() < bytes + kept) {
    if (preparing_ == 0 && !std::exchange(held_, true))
      return true; // Again, without entries first.
    if (preparing_ == 0)
      refuse();
    return give_up();
  }
  switch (timed_commit()) {
    case commit_outcome::durable:
      report(count, nullptr);
      after_commit();
      return true;
    case commit_outcome::no_room:
      note_no_room(work.file->failure());
      call_later(retry_delay);
      if (!std::exchange(held_, true))
        return true; // Again, without entries first.
      refuse();
      return give_up();
    case commit_outcome::failed: {
      if (!work.counters->failed.exchange(true))
        spdlog::critical("journal-failed error=\"{}\"",
                         work.file->failure().context);
      const auto why = work.file->failure();
      report(waiting_.size(), &why);
      return true;
    }
  }
  return false;
}

/// The time is for people: nothing depends on it.
commit_outcome journal_state::timed_commit() {
  using namespace std::chrono;
  const auto begin = steady_clock::now();
  const auto outcome = work.file->commit(frame_);
  const nanoseconds took = steady_clock::now() - begin;
  if (outcome == commit_outcome::durable)
    work.counters->took.record(static_cast<std::uint64_t>(took.count()));
  return outcome;
}

void journal_state::note_no_room(const error& cause) {
  no_room_ = {errc::io_failed,
              fmt::format("no room for the journal ({}); free space on the disk "
                          "of data-dir, or raise the limit if one is named; "
                          "writes resume by themselves",
                          cause.context)};
}

/// There is no room: blocks fail, so that nobody waits for an end that may not
/// come. Those with acknowledged entries stay. What comes next is refused by the
/// shards, also if it is small, until there is room.
void journal_state::refuse() {
  tell_full(true);
  std::vector<std::shared_ptr<commit_report>> reports(all->shards.size());
  std::erase_if(waiting_, [&](pending_block* block) {
    auto& report = reports[block->shard];
    if (!report)
      report = std::make_shared<commit_report>();
    const auto keep = block->keep.load();
    (keep ? report->held : report->blocks).push_back(block);
    return !keep;
  });
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i])
      continue;
    reports[i]->no_room = true;
    reports[i]->failure = no_room_;
    self->send(all->shards[i], committed_atom::value, std::move(reports[i]));
  }
}

/// Nobody waits for room while the engine stops: the blocks fail. False
/// otherwise: they wait.
bool journal_state::give_up() {
  if (!work.counters->stopping || preparing_ != 0)
    return false;
  if (waiting_.empty())
    return false;
  const error why{errc::shut_down, "stopped before the disk had room"};
  report(waiting_.size(), &why);
  return true;
}

/// Sends the first blocks back to their shards.
void journal_state::report(std::size_t count, const error* failure) {
  by_shard_.resize(all->shards.size());
  std::uint64_t entries = 0;
  for (std::size_t i = 0; i < count; ++i) {
    entries += waiting_[i]->builder.count();
    by_shard_[waiting_[i]->shard].push_back(waiting_[i]);
  }
  waiting_.erase(waiting_.begin(),
                 waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  for (std::size_t i = 0; i < by_shard_.size(); ++i) {
    // After a failure every shard has to know.
    if (by_shard_[i].empty() && failure == nullptr)
      continue;
    auto report = std::make_shared<commit_report>();
    report->blocks.swap(by_shard_[i]);
    if (failure != nullptr)
      report->failure = *failure;
    self->send(all->shards[i], committed_atom::value, std::move(report));
  }
  if (failure == nullptr) {
    work.counters->commits.fetch_add(1, std::memory_order_relaxed);
    work.counters->blocks.fetch_add(count, std::memory_order_relaxed);
    work.counters->entries.fetch_add(entries, std::memory_order_relaxed);
    work.counters->written_bytes.store(work.file->written_bytes(),
                                       std::memory_order_relaxed);
  }
}

void journal_state::after_commit() {
  last_commit_ms_ = work.clock->monotonic_ms();
  if (!prepare_failed_)
    prepare(); // Before the sealer is busy with a full file.
  const auto current = work.file->current_file();
  if (current > work.unsealed) {
    work.unsealed = current;
    self->send(all->sealer, seal_atom::value, current - 1, std::uint64_t{0},
               std::function<void()>{});
  }
  // Deletes and checkpoints need the last bytes of a full disk. Once it is said
  // to be full, it is so until a file can be made.
  tell_full(prepare_failed_
            && (work.counters->full
                || work.file->room() < work.reserve_bytes));
  call_later(work.idle_mark);
}

void journal_state::prepare() {
  const auto number = work.file->wants_spare();
  if (number == 0 || preparing_ != 0)
    return;
  preparing_ = number;
  self->send(all->sealer, prepare_atom::value, number);
}

/// Nothing is written behind what was recovered: if that is much, it need not
/// wait until the next file is full.
void journal_state::seal_recovered() {
  const auto end = std::exchange(work.recovered, {});
  if (end.file != 0)
    self->send(all->sealer, seal_atom::value, end.file, end.frame + 1,
               std::function<void()>{});
}

void journal_state::spare(std::unique_ptr<prepared_file> prepared) {
  if (!prepared || finished_)
    return;
  preparing_ = 0;
  held_ = false;
  if (prepared->made) {
    work.file->take_spare(prepared->number, std::move(*prepared->made));
    prepare_failed_ = false;
    tell_full(false);
  } else {
    if (!std::exchange(prepare_failed_, true))
      spdlog::warn("journal-prepare-failed file={} error=\"{}\"",
                   prepared->number, prepared->made.error().context);
    note_no_room(prepared->made.error());
    if (work.file->room() < work.reserve_bytes)
      tell_full(true);
    call_later(retry_delay);
  }
  commit();
}

void journal_state::tell_full(bool full) {
  if (work.counters->full.exchange(full) == full)
    return;
  std::shared_ptr<const error> why;
  if (full) {
    spdlog::error("journal-full error=\"{}\"", no_room_.context);
    why = std::make_shared<const error>(no_room_);
  } else {
    spdlog::info("journal-room");
  }
  for (const auto& each : all->shards)
    self->send(each, full_atom::value, why);
}

void journal_state::call_later(std::chrono::milliseconds delay) {
  const auto tick = work.clock->monotonic_ms()
                    + static_cast<std::uint64_t>(delay.count());
  if (called_at_ != 0 && called_at_ <= tick)
    return;
  called_at_ = tick;
  self->send(all->scheduler, arm_atom::value,
             std::vector<deadline>{{stream_id{}, tick}});
}

void journal_state::later() {
  if (called_at_ <= work.clock->monotonic_ms())
    called_at_ = 0;
  held_ = false;
  if (work.counters->failed || finished_)
    return;
  prepare();
  // What an earlier opening has prepared is opened by the commit that needs it:
  // if that failed, another one has to come.
  if (preparing_ == 0 && !prepare_failed_)
    tell_full(false);
  seal_recovered();
  commit();
  if (!waiting_.empty())
    return call_later(retry_delay);
  idle();
}

/// When nothing came for a while: marks the end, and leaves the disk to merges.
void journal_state::idle() {
  const auto idle = work.clock->monotonic_ms()
                    - std::max(work.opened_ms, last_commit_ms_);
  const auto wanted = static_cast<std::uint64_t>(work.idle_mark.count());
  if (idle < wanted)
    return call_later(std::chrono::milliseconds{wanted - idle});
  if (last_commit_ms_ != 0)
    static_cast<void>(work.file->mark_idle());
  self->send(all->sealer, sweep_atom::value);
}

void journal_state::finish(const std::function<void()>& done) {
  finished_ = true;
  work.counters->ended
    = !work.counters->failed
      && work.file->finish() == commit_outcome::durable;
  done();
}

journal_actor::behavior_type
journal_writer(journal_actor::stateful_pointer<journal_state> self,
               journal_state::tools work, std::shared_ptr<roster> all) {
  auto& state = self->state;
  state.self = self;
  state.work = std::move(work);
  state.all = std::move(all);
  return {
    [&state](commit_atom) { state.commit(); },
    [&state](later_atom) { state.later(); },
    [&state](spare_atom, const handoff<prepared_file>& prepared) {
      state.spare(prepared.take());
    },
    [&state](finish_atom, const std::function<void()>& done) {
      state.finish(done);
    },
  };
}

} // namespace torpor
