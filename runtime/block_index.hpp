// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "torpor/types.hpp"

#include <tsl/robin_map.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace torpor {

/// One block of a stream as the index knows it.
struct indexed_block {
  sequence first{};
  block_place place;
  std::uint32_t count = 0; ///< Entries.
};

/// A stream's blocks in the index: what its record keeps.
struct block_chain {
  std::uint64_t newest = 0; ///< Serial number of the last block; 0: none.
  std::uint32_t length = 0; ///< Blocks added to the chain, sealed ones too.
};

/// Finds the blocks of the journal files that are not sealed yet: 40 bytes a
/// block, in the journal's order, so that a sealed file's blocks are dropped
/// all at once. Each block points to the one before it of its stream. Every
/// 32nd block of a stream is noted aside, so that a place in the middle of many
/// is found without a walk over all. Adding touches nothing but the end.
/// Threads: one owner.
class block_index {
public:
  /// Adds a stream's newest block. Blocks without entries are not indexed.
  /// Files come in ascending order.
  void add(block_chain& chain, const block_view& block, block_place place);

  /// Whether blocks of the chain are left here.
  [[nodiscard]] bool holds(const block_chain& chain) const noexcept {
    return chain.newest >= floor_;
  }

  /// The blocks from the one that holds `from` on, oldest first, until their
  /// sizes reach `bytes_max` (at least one) or they are `blocks_max`. When the
  /// block with `from` is not here, the first one after it leads.
  [[nodiscard]] std::vector<indexed_block>
  find(const block_chain& chain, stream_id stream, sequence from,
       std::uint64_t bytes_max, std::uint32_t blocks_max = 0xffffffff) const;

  /// The first block that has an entry at or after a time, and whether it is
  /// the oldest one here.
  struct found_time {
    sequence first{};
    bool oldest = false;
    sequence before{}; ///< Where the block before it ends, unless it is oldest.
  };
  /// nullopt when all entries here are older.
  [[nodiscard]] std::optional<found_time>
  find_time(const block_chain& chain, stream_id stream,
            std::int64_t time_ms) const;

  /// The stream is gone.
  void remove(stream_id stream) { marks_.erase(raw(stream)); }

  /// Drops the blocks of files up to this one: a segment has them now.
  void drop(std::uint32_t file);

  /// Chains whose newest block is below have nothing left here.
  [[nodiscard]] std::uint64_t floor() const noexcept { return floor_; }
  [[nodiscard]] std::size_t blocks() const noexcept { return end_ - floor_; }

private:
  struct row {
    sequence first;
    std::int64_t last_ms;
    block_place place;
    std::uint32_t count;
    std::uint32_t back;   ///< Rows to the block before; 0: none here.
    std::uint32_t number; ///< In its chain, from 0.
  };
  using marks = std::deque<std::uint64_t>;

  static constexpr std::uint64_t chunk_rows = 1024;
  static constexpr std::uint32_t marked_every = 32;

  [[nodiscard]] const row& at(std::uint64_t serial) const {
    return chunks_[serial / chunk_rows - base_][serial % chunk_rows];
  }
  /// The block before, or 0.
  [[nodiscard]] std::uint64_t before(std::uint64_t serial) const {
    const auto back = at(serial).back;
    return back != 0 && serial - back >= floor_ ? serial - back : 0;
  }
  template <class Predicate>
  [[nodiscard]] std::vector<std::uint64_t> stations(const block_chain& chain,
                                                    stream_id stream,
                                                    Predicate behind) const;

  std::deque<std::unique_ptr<row[]>> chunks_;
  std::uint64_t base_ = 0;  ///< Number of the first chunk.
  std::uint64_t floor_ = 1; ///< First serial number that is here.
  std::uint64_t end_ = 1;   ///< The next serial number.
  /// Where each file's blocks begin.
  std::deque<std::pair<std::uint32_t, std::uint64_t>> files_;
  tsl::robin_map<std::uint64_t, marks> marks_; ///< Of long chains only.
};

} // namespace torpor
