// SPDX-License-Identifier: Apache-2.0
#include "server/option_value.hpp"

#include "runtime/quantity.hpp"

#include <caf/timespan.hpp>

namespace torpor {

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

std::optional<std::uint64_t> as_span(const caf::config_value& value) {
  if (const auto* text = caf::get_if<std::string>(&value))
    return parse_span(*text);
  const auto ms = as_milliseconds(value);
  if (!ms || ms->count() < 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(ms->count());
}

} // namespace torpor
