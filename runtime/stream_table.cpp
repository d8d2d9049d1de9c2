// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "runtime/assert.hpp"

#include <algorithm>

namespace torpor {

stream_table::stream_table(stream_table::settings given,
                           std::unique_ptr<catalog_reader> catalog,
                           memory_budget& budget, const torpor::clock& time)
  : config_(given),
    budget_(budget),
    clock_(time),
    records_(std::move(catalog), config_.shard, config_.shards,
             config_.record_cache, config_.retention) {}

stream_table::~stream_table() {
  // Only who never shut down still has something awake.
  const error why{errc::shut_down, "the runtime has ended"};
  for (awake_index at = 0; at < awake_.size(); ++at) {
    answer_waiters(at, why);
    delete awake_[at].buffer;
    delete awake_[at].flight;
  }
  for (auto& batch : out_.done)
    write_batch::finish(std::move(batch));
}

// -- awake and dormant --------------------------------------------------------

stream_table::awake_index stream_table::wake(record_table::row_index row) {
  auto& dormant = records_[row];
  if (dormant.awake != none)
    return dormant.awake;
  const auto at = awake_.take();
  auto& stream = awake_[at];
  stream.id = dormant.id;
  stream.row = row;
  stream.next = dormant.record.next;
  stream.last_ms = dormant.record.last_ms;
  stream.closed = dormant.record.closed;
  stream.removed = false;
  stream.buried = is_kept_for_forks(row);
  const auto& own = dormant.record.settings;
  stream.pins_made = own ? own->pins_made : 0;
  stream.tenant = budget_.tenant(dormant.record.name);
  dormant.awake = at;
  ++stats_.wakes;
  out_.woken.push_back(at);
  return at;
}

void stream_table::hibernate(awake_index at) {
  auto& stream = awake_[at];
  TORPOR_ASSERT(stream.buffer == nullptr && stream.flight == nullptr
                && !stream.queued && stream.charge == 0);
  records_[stream.row].awake = none;
  stream.producers.reset();
  stream.order.clear();
  stream.pins.reset();
  // A slot that was busy once does not keep a large list for ever.
  constexpr std::size_t kept_waiters = 64;
  if (stream.waiters.capacity() > kept_waiters)
    stream.waiters = {};
  if (stream.flight_waiters.capacity() > kept_waiters)
    stream.flight_waiters = {};
  ++stats_.hibernates;
  out_.hibernated.push_back(at);
  awake_.release(at);
}

block_builder& stream_table::buffer(awake_index at) {
  auto& stream = awake_[at];
  if (stream.buffer == nullptr) {
    stream.buffer = take_block();
    stream.buffer->shard = config_.shard;
    stream.buffer->awake = at;
    stream.buffer->keep = false;
    stream.buffer->builder.start(stream.id, stream.next);
    stream.deadline = 0;
  }
  return stream.buffer->builder;
}

pending_block* stream_table::take_block() {
  if (blocks_.empty())
    return new pending_block;
  auto* block = blocks_.back().release();
  blocks_.pop_back();
  return block;
}

void stream_table::give_block(pending_block* block) {
  constexpr std::size_t kept_blocks = 1024;
  block->builder.trim();
  if (blocks_.size() < kept_blocks)
    blocks_.emplace_back(block);
  else
    delete block;
}

// -- due ----------------------------------------------------------------------

void stream_table::make_due(awake_index at) {
  auto& stream = awake_[at];
  if (stream.flight != nullptr) {
    stream.due_again = true;
  } else if (!stream.queued) {
    stream.queued = true;
    queue_.push_back(at);
  }
}

void stream_table::due_at(awake_index at, std::uint64_t tick) {
  auto& stream = awake_[at];
  stream.deadline = stream.deadline == 0 ? tick
                                         : std::min(stream.deadline, tick);
  // One timer a stream: an earlier one that is in the wheel already will look
  // at the deadline when it fires.
  auto& row = records_[stream.row];
  if (row.armed_until == 0 || row.armed_until > stream.deadline) {
    if (row.armed_until != 0) // At most an hour, as long as any delay.
      row.armed_more = static_cast<std::uint32_t>(
        row.armed_until + row.armed_more - stream.deadline);
    row.armed_until = stream.deadline;
    out_.deadlines.push_back({stream.id, stream.deadline});
  }
}

void stream_table::due_by_policy(awake_index at, torpor::ack ack) {
  const auto& stream = awake_[at];
  if (stream.queued || stream.due_again)
    return; // It is due already.
  const auto& set = records_[stream.row].record.settings;
  const auto own = set ? set->sync : sync_policy{};
  const auto max_bytes = own.max_bytes > 0 ? own.max_bytes
                                           : config_.sync.max_bytes;
  const auto ms = [](std::uint32_t mine, std::chrono::milliseconds store) {
    return mine > 0 ? mine : static_cast<std::uint64_t>(store.count());
  };
  const auto delay = ack == ack::durable
                       ? ms(own.linger_ms, config_.sync.linger)
                       : ms(own.max_delay_ms, config_.sync.max_delay);
  if (delay == 0 || stream.buffer->builder.content_bytes() >= max_bytes)
    make_due(at);
  else
    due_at(at, clock_.monotonic_ms() + delay);
}

void stream_table::relieve() {
  // A look at all awake streams: not for each of many refusals.
  constexpr std::uint64_t pause_ms = 10;
  const auto now = clock_.monotonic_ms();
  if (relieved_at_ != 0 && now < relieved_at_ + pause_ms)
    return;
  relieved_at_ = now;
  for (awake_index at = 0; at < awake_.size(); ++at)
    if (awake_[at].buffer != nullptr)
      make_due(at);
  end_call();
}

void stream_table::due(const std::vector<stream_id>& streams) {
  const auto now = clock_.monotonic_ms();
  for (const auto id : streams) {
    if (id == review_timer(config_.shard, config_.shards)) {
      retain();
      continue;
    }
    const auto row = records_.in_memory(id);
    if (row == record_table::none)
      continue;
    auto& dormant = records_[row];
    if (dormant.armed_until <= now) {
      const auto more = std::exchange(dormant.armed_more, 0);
      const auto last = dormant.armed_until + more;
      dormant.armed_until = more != 0 && last > now ? last : 0;
    }
    if (dormant.awake == none || awake_[dormant.awake].buffer == nullptr)
      continue;
    if (const auto tick = awake_[dormant.awake].deadline; tick > now)
      due_at(dormant.awake, tick);
    else
      make_due(dormant.awake);
  }
  pump();
}

void stream_table::pump() {
  while (in_flight_ < config_.sync.window && !queue_.empty()) {
    const auto at = queue_.front();
    queue_.pop_front();
    awake_[at].queued = false;
    if (awake_[at].buffer != nullptr)
      launch(at);
  }
}

void stream_table::launch(awake_index at) {
  auto& stream = awake_[at];
  TORPOR_ASSERT(stream.flight == nullptr && stream.flight_waiters.empty());
  trim(at);
  stream.flight = std::exchange(stream.buffer, nullptr);
  out_.syncs.push_back(stream.flight);
  stream.flight_waiters.swap(stream.waiters);
  stream.flight_charge = std::exchange(stream.charge, 0);
  ++in_flight_;
}

// -- commit -------------------------------------------------------------------

void stream_table::committed(const std::vector<pending_block*>& blocks) {
  // What a block touches is in no cache: the waits for all of them overlap.
  for (const auto* block : blocks)
    records_.prefetch(awake_[block->awake].row);
  for (auto* block : blocks) {
    const auto at = block->awake;
    finish_block(block, true);
    after_commit(at);
  }
  end_call();
}

/// What every call that changes streams ends with.
void stream_table::end_call() {
  pump();
  if (retains_ && records_.earlier_review())
    arm_review(0);
  budget_.all().release(std::exchange(released_, 0));
  if (quiet_ && awake_.used() == 0)
    std::exchange(quiet_, nullptr)();
}

/// The facts of a durable block become visible, and its waiters are answered.
void stream_table::finish_block(pending_block* block, bool durable) {
  auto& stream = awake_[block->awake];
  TORPOR_ASSERT(stream.flight == block && stream.id == block->builder.stream());
  if (durable) {
    const auto view = block->builder.summary();
    records_.apply(stream.row, view);
    index_.add(records_[stream.row].blocks, view, block->place);
    ++stats_.blocks;
    stats_.acked_bytes += block->builder.payload_bytes();
    for (const auto& waiting : stream.flight_waiters)
      settle(*waiting.batch);
    stream.flight_waiters.clear();
  }
  stream.flight = nullptr;
  --in_flight_;
  released_ += stream.flight_charge;
  if (stream.tenant != nullptr)
    stream.tenant->release(stream.flight_charge);
  stream.flight_charge = 0;
  give_block(block);
}

void stream_table::after_commit(awake_index at) {
  auto& stream = awake_[at];
  const auto id = stream.id;
  if (const auto& dormant = records_[stream.row]; dormant.removed) {
    index_.remove(id);
    if (const auto& own = dormant.record.settings;
        own && own->origin.source != stream_id{})
      out_.unpins.push_back({own->origin.source, own->origin.pin, {}});
  }
  const auto again = std::exchange(stream.due_again, false);
  if (stream.buffer == nullptr)
    hibernate(at);
  else if (again)
    make_due(at);
  if (!parked_.empty())
    wake_readers(id);
}

// -- failure and stop ---------------------------------------------------------

void stream_table::fail_waiters(std::vector<waiter>& waiters,
                                const error& why) {
  for (const auto& waiting : waiters)
    refuse(*waiting.batch, waiting.index, why);
  waiters.clear();
}

/// Whoever waits for something of a stream need not wait any longer.
void stream_table::answer_waiters(awake_index at, const error& why) {
  fail_waiters(awake_[at].flight_waiters, why);
  fail_waiters(awake_[at].waiters, why);
}

void stream_table::drop(awake_index at, const error& why) {
  auto& stream = awake_[at];
  answer_waiters(at, why);
  released_ += stream.charge;
  if (stream.tenant != nullptr)
    stream.tenant->release(stream.charge);
  stream.charge = 0;
  if (stream.buffer != nullptr)
    give_block(std::exchange(stream.buffer, nullptr));
  stream.due_again = false;
  if (stream.flight == nullptr)
    hibernate(at);
}

void stream_table::failed(const std::vector<pending_block*>& blocks,
                          const error& why) {
  failed_ = std::make_unique<error>(why);
  for (const auto at : queue_)
    awake_[at].queued = false;
  queue_.clear();
  for (auto* block : blocks) {
    const auto at = block->awake;
    finish_block(block, false);
    drop(at, why);
  }
  // What waits in buffers fails as well; blocks that are still on their way
  // come back through another call.
  for (awake_index at = 0; at < awake_.size(); ++at)
    if (awake_[at].buffer != nullptr)
      drop(at, why);
  end_call();
}

void stream_table::refused(const std::vector<pending_block*>& blocks,
                           const std::vector<pending_block*>& held,
                           const error& why) {
  for (auto* block : blocks) {
    const auto at = block->awake;
    const auto row = awake_[at].row;
    if (block->keep) {
      answer_waiters(at, why);
      out_.again.push_back(block);
      continue;
    }
    finish_block(block, false);
    drop(at, why);
    if (records_[row].unborn)
      records_.forget(row);
  }
  for (const auto* block : held)
    answer_waiters(block->awake, why);
  end_call();
}

void stream_table::full(const error* why) {
  full_ = why != nullptr ? std::make_unique<error>(*why) : nullptr;
}

void stream_table::shut_down(std::function<void()> quiet) {
  stopping_ = true;
  quiet_ = std::move(quiet);
  for (awake_index at = 0; at < awake_.size(); ++at)
    if (awake_[at].buffer != nullptr)
      make_due(at);
  for (auto& [stream, request] : parked_)
    request->sink->done(fail(errc::shut_down, "the runtime is stopping"));
  parked_.clear();
  tickets_.clear();
  end_call();
}

table_stats stream_table::stats() const {
  auto stats = stats_;
  stats.awake = awake_.used();
  stats.records = records_.in_memory();
  stats.unlisted = records_.unlisted();
  stats.indexed_blocks = index_.blocks();
  stats.parked_reads = parked_.size();
  return stats;
}

} // namespace torpor
