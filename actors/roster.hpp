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
  /// Entries that truncations and removes deleted since the start.
  std::atomic<std::uint64_t> deleted{0};

  [[nodiscard]] const shard_actor& shard(stream_id id) const {
    return shards[shard_of(id, static_cast<std::uint32_t>(shards.size()))];
  }
};

} // namespace torpor
