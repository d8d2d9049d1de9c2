// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <caf/config_value.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// One `key = value` of a file, with where it stands.
struct config_entry {
  std::string section; ///< "torpor.sync"; empty above the first section.
  std::string key;     ///< "max-delay".
  std::size_t line = 0;
  caf::config_value value;
};

/// What a file says, in order of its lines, without judging it.
struct config_text {
  std::vector<config_entry> entries;
  /// Every section's header with its line, also of empty ones.
  std::vector<std::pair<std::string, std::size_t>> sections;
};

/// Parses a text in CAF's config format. Stricter than CAF, which lets the
/// first of two equal keys win and drops what stands in an earlier section of
/// the same name: both are refused. Errors: invalid_argument; the text begins
/// with the line.
[[nodiscard]] result<config_text> parse_config_text(std::string text);

} // namespace torpor
