// SPDX-License-Identifier: Apache-2.0
#include "runtime/chunk_cursor.hpp"

#include <fmt/format.h>

namespace torpor {

result<std::optional<block_view>> chunk_cursor::next() {
  if (at_ >= raw_.size())
    return std::nullopt;
  const auto rest = raw_.subspan(at_);
  const auto bytes = claimed_block_bytes(rest);
  auto block = parse_block(rest.first(bytes));
  if (!block || block->count == 0) {
    const auto what = block ? "a block without entries" : block.error().context;
    return from_->damaged(from_->chunk(number_).offset,
                          fmt::format("{} (at byte {} of the chunk, after "
                                      "decompression)",
                                      what, at_));
  }
  at_ += bytes;
  return std::optional<block_view>{std::move(*block)};
}

} // namespace torpor
