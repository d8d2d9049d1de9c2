// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/config.hpp"

#include <caf/config_value.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace torpor {

/// One option: how it is called, what it takes, and where it goes.
struct option_row {
  std::string_view key;
  std::string_view expected;
  bool (*set)(daemon_config& into, const caf::config_value& given);
};

/// The options below [torpor.http].
[[nodiscard]] std::span<const option_row> http_option_rows();

// What an option can take, for people.

inline constexpr std::string_view bool_text = "true or false";
inline constexpr std::string_view string_text = "a string in double quotes";
inline constexpr std::string_view count_text = "a whole number, 0 or more";
inline constexpr std::string_view bytes_text
  = "bytes, as a whole number or a string such as \"64KiB\" or \"1GiB\"";
inline constexpr std::string_view
  span_text = "a duration in whole milliseconds such as 500ms, 5s or 1min";

/// False if nothing of the right kind was found.
template <class T>
bool put(T& into, const std::optional<T>& found) {
  if (found)
    into = *found;
  return found.has_value();
}

/// A number that does not fit becomes the largest, which no range allows.
template <class T>
  requires(sizeof(T) < sizeof(std::uint64_t))
bool put(T& into, const std::optional<std::uint64_t>& found) {
  constexpr std::uint64_t most = std::numeric_limits<T>::max();
  if (found)
    into = static_cast<T>(std::min(*found, most));
  return found.has_value();
}

} // namespace torpor
