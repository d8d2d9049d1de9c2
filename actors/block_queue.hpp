// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/pending_block.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

namespace torpor {

/// Where finished blocks wait for the journal: any number of stream actors
/// push, the journal takes all. The first push into an empty queue tells the
/// pusher to wake the journal, so that one message wakes it for many blocks.
/// Bounded by the shards' windows of syncs in flight.
/// Threads: any for `push`, one owner for `take`.
class block_queue {
public:
  /// True when the queue was empty: the caller has to wake the journal.
  [[nodiscard]] bool push(pending_block* block) noexcept {
    auto* newest = newest_.load(std::memory_order_relaxed);
    do {
      block->behind = newest;
    } while (!newest_.compare_exchange_weak(newest, block,
                                            std::memory_order_release,
                                            std::memory_order_relaxed));
    return newest == nullptr;
  }

  /// Appends all waiting blocks, oldest first.
  void take(std::vector<pending_block*>& into) {
    const auto begin = into.size();
    auto* block = newest_.exchange(nullptr, std::memory_order_acquire);
    for (; block != nullptr; block = block->behind)
      into.push_back(block);
    std::reverse(into.begin() + static_cast<std::ptrdiff_t>(begin),
                 into.end());
  }

private:
  std::atomic<pending_block*> newest_{nullptr};
};

} // namespace torpor
