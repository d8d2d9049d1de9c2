// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/segment.hpp"

#include <optional>

namespace torpor {

/// Walks over the blocks of a chunk and checks each. The segment and the
/// chunk's bytes outlive it. Threads: one owner.
class chunk_cursor {
public:
  /// At the end of no chunk.
  chunk_cursor() = default;

  /// Begins at the block that begins at `offset` of the chunk.
  chunk_cursor(const segment& from, const segment_chunk& chunk,
               std::uint32_t offset = 0) noexcept
    : from_{&from},
      number_{chunk.number},
      raw_{chunk.view()},
      at_{offset} {}

  /// The next block; nullopt at the end. Views into the chunk. Errors: corrupt,
  /// and then nothing more can be read from this chunk.
  [[nodiscard]] result<std::optional<block_view>> next();

  /// Where the next block begins in the chunk.
  [[nodiscard]] std::size_t offset() const noexcept { return at_; }

private:
  const segment* from_ = nullptr;
  std::uint32_t number_ = 0;
  bytes_view raw_;
  std::size_t at_ = 0;
};

} // namespace torpor
