// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/id_map.hpp"
#include "runtime/slab.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <vector>

namespace torpor {

/// One block of a stream as the index knows it.
struct indexed_block {
  sequence first{};
  block_place place;
  std::uint32_t count = 0; ///< Entries.
};

/// Finds the journal blocks that hold given entries: 48 bytes a block, none an
/// entry. Each block points to the one before it and to one far back, so that
/// any place of a stream is found in O(log blocks) and adding costs O(1).
/// Source of the far pointers: E. W. Myers, "An applicative random-access
/// stack", 1983. Threads: one owner.
class block_index {
public:
  /// Adds a stream's newest block. Blocks without entries are not indexed.
  void add(const block_view& block, block_place place);

  /// Blocks will be added to these streams soon: fetches what that needs for
  /// all of them at once, because hardly any of it is in a cache.
  template <class Streams, class ToId>
  void prefetch(const Streams& streams, ToId id) {
    fetched_.clear();
    for (const auto& each : streams)
      newest_.prefetch(id(each));
    for (const auto& each : streams)
      if (const auto known = newest_.find(id(each)); known != none)
        fetched_.push_back(known);
    for (const auto at : fetched_)
      __builtin_prefetch(&rows_[at].depth, 1);
    for (auto& at : fetched_) {
      at = rows_[at].far;
      __builtin_prefetch(&rows_[at].depth);
    }
    for (const auto at : fetched_)
      __builtin_prefetch(&rows_[rows_[at].far].depth);
  }

  /// The blocks from the one that holds `from` on, oldest first, until their
  /// sizes reach `bytes_max` (at least one) or they are `blocks_max`. Empty
  /// when the stream has none. When the block with `from` is missing, the
  /// first one after it leads.
  [[nodiscard]] std::vector<indexed_block>
  find(stream_id stream, sequence from, std::uint64_t bytes_max,
       std::uint32_t blocks_max = none) const;

  /// First sequence of the first block that has an entry at or after a time.
  /// nullopt when all entries are older.
  [[nodiscard]] std::optional<sequence> find_time(stream_id stream,
                                                  std::int64_t time_ms) const;

  /// Forgets a stream's blocks. Their memory is freed bit by bit, by what is
  /// added later: a long stream does not hold up the others.
  void remove(stream_id stream);

  [[nodiscard]] std::size_t blocks() const noexcept { return rows_.used(); }

private:
  static constexpr std::uint32_t none = id_map::none;

  struct row {
    sequence first;
    std::int64_t last_ms;
    block_place place;
    std::uint32_t count;
    std::uint32_t before; ///< Row of the block before; itself at the start.
    std::uint32_t after;  ///< Row of the block behind; `none` at the end.
    std::uint32_t far;    ///< Row far back.
    std::uint32_t depth;  ///< Blocks before this one.
  };

  /// The oldest row for which `behind` holds, which holds for all rows after
  /// it too, starting from the newest; `none` when it holds for no row.
  template <class Predicate>
  [[nodiscard]] std::uint32_t oldest(std::uint32_t newest,
                                     Predicate behind) const;
  void free_some();

  slab<row> rows_;
  id_map newest_; ///< Row of each stream's newest block.
  std::vector<std::uint32_t> fetched_; ///< Only `prefetch` uses it.
  std::vector<std::uint32_t> removed_; ///< Newest row left of each.
};

} // namespace torpor
