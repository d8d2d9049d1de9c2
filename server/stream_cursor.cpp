// SPDX-License-Identifier: Apache-2.0
#include "server/stream_cursor.hpp"

#include <algorithm>
#include <charconv>

namespace torpor {

namespace {

constexpr std::int64_t interval_s = 20;

} // namespace

std::uint64_t cursor_at(std::int64_t unix_ms) noexcept {
  constexpr std::int64_t begin_ms = 1'728'432'000'000; // 2024-10-09, UTC.
  return static_cast<std::uint64_t>(
    std::max<std::int64_t>(0, (unix_ms - begin_ms) / (interval_s * 1000)));
}

std::uint64_t cursor_after(std::uint64_t current,
                           std::optional<std::uint64_t> client,
                           std::uint32_t random) noexcept {
  if (!client || *client < current)
    return current;
  return *client + 1 + random % (3600 / interval_s);
}

std::optional<std::uint64_t> parse_cursor(std::string_view text) noexcept {
  constexpr auto most = std::uint64_t{1} << 53;
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value > most)
    return std::nullopt;
  return value;
}

} // namespace torpor
