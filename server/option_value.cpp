// SPDX-License-Identifier: Apache-2.0
#include "server/option_value.hpp"

#include <caf/timespan.hpp>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace torpor {

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 6> units{
    {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto digits = std::from_chars(text.data(), end, number);
  if (digits.ec != std::errc{})
    return std::nullopt;
  std::string_view unit{digits.ptr, static_cast<std::size_t>(end - digits.ptr)};
  if (unit.size() > 1 && unit.starts_with(' '))
    unit.remove_prefix(1);
  for (const auto& [name, shift] : units) {
    if (unit != name)
      continue;
    if (number > std::numeric_limits<std::uint64_t>::max() >> shift)
      return std::nullopt;
    return number << shift;
  }
  return std::nullopt;
}

std::optional<bool> as_bool(const caf::config_value& value) {
  if (const auto* found = caf::get_if<bool>(&value))
    return *found;
  return std::nullopt;
}

std::optional<std::string> as_string(const caf::config_value& value) {
  if (const auto* found = caf::get_if<std::string>(&value))
    return *found;
  return std::nullopt;
}

std::optional<std::uint64_t> as_count(const caf::config_value& value) {
  const auto* found = caf::get_if<caf::config_value::integer>(&value);
  if (found == nullptr || *found < 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(*found);
}

std::optional<std::uint64_t> as_bytes(const caf::config_value& value) {
  if (const auto* text = caf::get_if<std::string>(&value))
    return parse_bytes(*text);
  return as_count(value);
}

std::optional<std::chrono::milliseconds>
as_milliseconds(const caf::config_value& value) {
  const auto* found = caf::get_if<caf::timespan>(&value);
  if (found == nullptr)
    return std::nullopt;
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(
    *found);
  if (whole != *found)
    return std::nullopt;
  return whole;
}

} // namespace torpor
