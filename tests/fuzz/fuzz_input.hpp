// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace torpor::test {

/// Takes what a fuzzer made apart, from its front. Where nothing is left there
/// are zeros and empty texts. Threads: one owner.
class fuzz_input {
public:
  fuzz_input(const std::uint8_t* data, std::size_t size) noexcept
    : rest_{reinterpret_cast<const char*>(data), size} {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  std::uint8_t u8() noexcept {
    if (rest_.empty())
      return 0;
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  std::uint16_t u16() noexcept {
    const unsigned low = u8();
    return static_cast<std::uint16_t>(low | unsigned{u8()} << 8);
  }
  /// As many bytes as a first byte says: small numbers are likely, all can be.
  std::uint64_t number() noexcept {
    std::uint64_t value = 0;
    for (auto left = u8() % 9u; left > 0; --left)
      value = value << 8 | u8();
    return value;
  }

  /// At most that many bytes.
  std::string_view text(std::size_t bytes) noexcept {
    const auto taken = rest_.substr(0, bytes);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  /// As many as a length of two bytes in front of them says.
  std::string_view text() noexcept { return text(u16()); }
  bytes_view bytes() noexcept { return as_bytes(text()); }
  std::string_view rest() noexcept { return text(rest_.size()); }

private:
  std::string_view rest_;
};

/// Calls `piece` with a text in pieces whose sizes, from 1 on, follow from
/// `seed`. Stops when `piece` says false.
template <class Piece>
void in_pieces(std::string_view text, std::uint32_t seed, Piece piece) {
  auto state = seed | 1u;
  while (!text.empty()) {
    state = state * 1664525u + 1013904223u;
    const auto bytes = 1 + ((state >> 16) & ((seed >> 8 & 0x3f) | 0x3u));
    if (!piece(text.substr(0, bytes)))
      return;
    text.remove_prefix(std::min<std::size_t>(bytes, text.size()));
  }
}

} // namespace torpor::test

/// What libFuzzer calls with each input, and so does tests/fuzz/replay_main.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);
