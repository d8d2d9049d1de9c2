// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/block_queue.hpp"
#include "actors/messages.hpp"
#include "runtime/record_table.hpp"

#include <atomic>
#include <cstdint>
#include <vector>

namespace torpor {

/// Who is who in one engine. Filled in before the first message is sent, not
/// changed while actors run, emptied after they ended.
/// Threads: any; `queue` as its class says.
struct roster {
  std::vector<shard_actor> shards;
  std::vector<reader_actor> readers;
  scheduler_actor scheduler;
  journal_actor journal;
  sealer_actor sealer;
  merger_actor merger;
  block_queue queue; ///< From the stream actors to the journal.
  std::atomic<bool> stopping{false}; ///< Long work ends early.
  /// Bytes of entries that truncations and removes deleted, from what the
  /// catalog has as not swept on.
  std::atomic<std::uint64_t> deleted_bytes{0};
  /// The sealer wants to know when so many are deleted.
  std::atomic<std::uint64_t> sweep_at{~std::uint64_t{0}};

  // For who looks at the store from outside:
  std::atomic<std::uint64_t> armed{0};         ///< Deadlines in the wheel.
  std::atomic<std::uint64_t> segments{0};      ///< In the list.
  std::atomic<std::uint64_t> segment_bytes{0}; ///< Of their files.

  /// Counts deleted bytes. True for those that reach `sweep_at`. The
  /// sealer sets that before it looks at the sum, so one of the two notices.
  [[nodiscard]] bool count_deleted(std::uint64_t bytes) {
    const auto before = deleted_bytes.fetch_add(bytes);
    const auto due = sweep_at.load();
    return before < due && before + bytes >= due;
  }

  [[nodiscard]] const shard_actor& shard(stream_id id) const {
    return shards[shard_of(id, static_cast<std::uint32_t>(shards.size()))];
  }
};

} // namespace torpor
