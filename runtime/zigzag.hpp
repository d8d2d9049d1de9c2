// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace torpor {

/// A number of either sign for a varint: small ones stay short.
[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1)
         ^ static_cast<std::uint64_t>(value >> 63);
}

[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t coded) noexcept {
  return static_cast<std::int64_t>((coded >> 1) ^ (0 - (coded & 1)));
}

/// `to - from`, coded; wraps around, as `step` does.
[[nodiscard]] constexpr std::uint64_t zigzag_step(std::int64_t from,
                                                  std::int64_t to) noexcept {
  return zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(to)
                                          - static_cast<std::uint64_t>(from)));
}

/// The number that `zigzag_step` was given as `to`.
[[nodiscard]] constexpr std::int64_t step(std::int64_t from,
                                          std::uint64_t coded) noexcept {
  return static_cast<std::int64_t>(
    static_cast<std::uint64_t>(from)
    + static_cast<std::uint64_t>(unzigzag(coded)));
}

} // namespace torpor
