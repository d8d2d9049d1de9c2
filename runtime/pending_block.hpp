// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/journal.hpp"

#include <atomic>
#include <cstdint>

namespace torpor {

/// A stream's buffer, from the first entry to the commit: the shard fills it,
/// the stream's actor finishes it, the journal makes it durable, and the shard
/// gets it back. Always in exactly one of these hands.
struct pending_block : journal_block {
  block_builder builder;
  std::uint32_t shard = 0;       ///< Who gets it back.
  std::uint32_t awake = 0;       ///< Whose it is, in that shard.
  pending_block* behind = nullptr; ///< Link of the queue it waits in.
  /// It, or what its stream buffered behind it, has entries that were
  /// acknowledged: it is not given up for want of room. Set by the shard, also
  /// while others hold the block.
  std::atomic<bool> keep{false};
};

} // namespace torpor
