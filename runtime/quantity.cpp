// SPDX-License-Identifier: Apache-2.0
#include "runtime/quantity.hpp"

#include <charconv>
#include <limits>
#include <span>

namespace torpor {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

std::optional<std::uint64_t> parse(std::string_view text,
                                   std::span<const unit> units) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto digits = std::from_chars(text.data(), end, number);
  if (digits.ec != std::errc{})
    return std::nullopt;
  std::string_view rest{digits.ptr, static_cast<std::size_t>(end - digits.ptr)};
  if (rest.size() > 1 && rest.starts_with(' '))
    rest.remove_prefix(1);
  for (const auto& [name, factor] : units)
    if (rest == name
        && number <= std::numeric_limits<std::uint64_t>::max() / factor)
      return number * factor;
  return std::nullopt;
}

} // namespace

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  static constexpr unit units[]
    = {{"", 1},           {"B", 1},           {"KiB", 1ull << 10},
       {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}};
  return parse(text, units);
}

std::optional<std::uint64_t> parse_span(std::string_view text) {
  static constexpr unit units[] = {{"ms", 1},
                                   {"s", 1000},
                                   {"min", 60'000},
                                   {"h", 3'600'000},
                                   {"d", 86'400'000}};
  return parse(text, units);
}

} // namespace torpor
