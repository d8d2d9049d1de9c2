// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <caf/config_value.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

/// One `key = value` of a file, with where it stands.
struct config_entry {
  std::string section; ///< "torpor.sync"; empty above the first section.
  std::string key;     ///< "max-delay".
  std::string text;    ///< The value as written: "5s".
  std::size_t line = 0;
  caf::config_value value;
};

/// What a file says, in order of its lines, without judging it.
struct config_text {
  std::vector<config_entry> entries;
  /// Every section's header with its line, also of empty ones.
  std::vector<std::pair<std::string, std::size_t>> sections;
};

/// Parses a text in CAF's config format, with one line per key. CAF 0.17.6
/// itself drops [a.b] without a word when [a.b.c] follows, the second of two
/// equal keys, and the rest of some wrong lines; so only the values are left
/// to it, and repeated sections and keys are refused. Errors:
/// invalid_argument; the text begins with the line's number.
[[nodiscard]] result<config_text> parse_config_text(std::string_view text);

/// Whether a value has too many lists or maps in each other to be shown to CAF,
/// which follows them until the stack is full. No option takes any.
[[nodiscard]] bool nests_deeply(std::string_view text) noexcept;

} // namespace torpor
