// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace torpor {

/// When retention has to look at which of a shard's streams. The catalog has the
/// reviews of the records as they are saved, in order; here are those of changed
/// records only, and how far the catalog's were taken. A review says only that
/// one has to look: the stream may have been used meanwhile.
/// Threads: one owner.
class review_queue {
public:
  review_queue(std::uint32_t shard, std::uint32_t shards)
    : shard_(shard), shards_(shards) {}

  /// A review that the catalog lacks.
  void add(stream_review review);

  /// The same in place of another one; time 0: none.
  void replace(stream_review old, stream_review with);

  /// The catalog has it now.
  void saved(stream_review review);

  /// Takes up to `count_max` reviews that are due. Errors: those of `stored`;
  /// then none was taken.
  [[nodiscard]] result<std::vector<stream_id>>
  take(std::int64_t now_ms, std::size_t count_max, catalog_reader& stored);

  /// The time of the next one, due or not; nullopt: none. Errors: those of
  /// `stored`.
  [[nodiscard]] result<std::optional<std::int64_t>>
  next(catalog_reader& stored) const;

  /// Whether one was added, since this was asked last, in front of the others.
  [[nodiscard]] bool earlier() noexcept { return std::exchange(earlier_, false); }

private:
  std::uint32_t shard_;
  std::uint32_t shards_;
  std::set<stream_review> added_;
  stream_review taken_; ///< Of the catalog's, up to this one.
  bool earlier_ = false;
};

} // namespace torpor
