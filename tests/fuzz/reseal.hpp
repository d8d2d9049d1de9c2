// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/frame.hpp"
#include "runtime/wire.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace torpor::test {

using byte_vector = std::vector<std::byte>;

[[nodiscard]] inline byte_vector to_bytes(std::string_view text) {
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// Gives any bytes the head of a sound block: their own size and checksum.
inline void reseal_block(std::span<std::byte> block) {
  wire_writer to{block.data()};
  to.u32(static_cast<std::uint32_t>(block.size()));
  to.u64(checksum_of(block.subspan(block_head_bytes)));
}

/// Makes blocks of any bytes: where a size cannot be, the block is all that is
/// left. Too few bytes for a block stay as they are. Returns how many blocks.
inline std::uint32_t reseal_blocks(std::span<std::byte> bytes) {
  std::uint32_t blocks = 0;
  for (; bytes.size() >= block_head_bytes; ++blocks) {
    const std::size_t claimed = claimed_block_bytes(bytes);
    const auto block = bytes.first(claimed == 0 ? bytes.size() : claimed);
    reseal_block(block);
    bytes = bytes.subspan(block.size());
  }
  return blocks;
}

} // namespace torpor::test
