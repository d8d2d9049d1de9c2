// SPDX-License-Identifier: Apache-2.0
#include "runtime/recovery.hpp"

#include <algorithm>
#include <system_error>

namespace torpor {

namespace {

constexpr std::size_t chunk_blocks = 512;
constexpr std::size_t chunk_size = 256u << 10;
constexpr std::size_t waiting_max = 4;

} // namespace

recovery::recovery(tables& into, std::uint32_t unsaved_first)
  : tables_(into), unsaved_first_(unsaved_first), filling_(into.size()) {
  const auto threads = std::clamp<std::size_t>(
    std::thread::hardware_concurrency(), 1, into.size());
  for (std::size_t i = 0; i < threads; ++i)
    workers_.emplace_back();
}

recovery::~recovery() {
  static_cast<void>(finish());
}

void recovery::add(const block_view& block, block_place place) {
  const auto shard = shard_of(block.stream,
                              static_cast<std::uint32_t>(tables_.size()));
  auto& into = filling_[shard];
  if (!into) {
    into = std::make_unique<chunk>();
    into->shard = shard;
  }
  into->blocks.push_back({into->bytes.size(), place});
  into->bytes.append(block.whole);
  if (place.file >= unsaved_first_)
    replayed_ += block.count;
  if (into->blocks.size() >= chunk_blocks || into->bytes.size() >= chunk_size)
    hand_on(shard);
}

void recovery::hand_on(std::uint32_t shard) {
  auto& to = workers_[shard % workers_.size()];
  if (!to.thread.joinable() && !start(to)) {
    const auto work = std::move(filling_[shard]);
    return apply(*work, to.broken);
  }
  std::unique_lock lock{to.mutex};
  to.changed.wait(lock, [&] { return to.waiting.size() < waiting_max; });
  to.waiting.push_back(std::move(filling_[shard]));
  to.changed.notify_all();
}

/// False where no thread can be started: then the caller works alone.
bool recovery::start(worker& self) {
  try {
    self.thread = std::thread{[this, &self] { run(self); }};
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void recovery::run(worker& self) {
  for (;;) {
    std::unique_lock lock{self.mutex};
    self.changed.wait(lock,
                      [&] { return self.ended || !self.waiting.empty(); });
    if (self.waiting.empty())
      return;
    const auto work = std::move(self.waiting.front());
    self.waiting.pop_front();
    self.changed.notify_all();
    lock.unlock();
    apply(*work, self.broken);
  }
}

/// Most streams are in no cache; the waits for them overlap when all are asked
/// for at once.
void recovery::prefetch(const record_table& records,
                        const std::vector<block_view>& blocks) const {
  for (const auto& block : blocks)
    records.prefetch(block.stream);
  for (const auto& block : blocks)
    if (const auto row = records.in_memory(block.stream);
        row != record_table::none)
      records.prefetch(row);
}

void recovery::apply(const chunk& work, std::optional<error>& broken) {
  auto& table = *tables_[work.shard];
  auto& records = table.records();
  std::vector<block_view> blocks;
  for (const auto& [offset, place] : work.blocks) {
    auto block = parse_block(work.bytes.view().subspan(offset, place.bytes));
    if (block)
      blocks.push_back(std::move(*block));
    else
      broken = block.error(); // It was sound when the journal was read.
  }
  if (broken)
    return;
  prefetch(records, blocks);
  for (std::size_t i = 0; i < blocks.size() && !broken; ++i) {
    const auto& block = blocks[i];
    const auto place = work.blocks[i].place;
    const auto row = place.file >= unsaved_first_
                       ? records.apply(block)
                       : records.find(block.stream);
    if (!row)
      broken = row.error();
    else if (*row != record_table::none)
      table.index().add(records[*row].blocks, block, place);
    if (block.removes)
      table.index().remove(block.stream);
  }
}

result<void> recovery::finish() {
  std::optional<error> broken;
  for (auto& each : workers_) {
    if (!each.thread.joinable()) {
      broken = broken ? broken : each.broken;
      continue;
    }
    {
      const std::lock_guard guard{each.mutex};
      each.ended = true;
      each.changed.notify_all();
    }
    each.thread.join();
    broken = broken ? broken : each.broken;
  }
  // What is left is little, and no thread was worth it.
  for (auto& left : filling_)
    if (const auto last = std::move(left); last && !broken)
      apply(*last, broken);
  if (broken)
    return tl::unexpected{*broken};
  return {};
}

} // namespace torpor
