// SPDX-License-Identifier: Apache-2.0
#include "server/percent.hpp"

#include <charconv>

namespace torpor {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    const auto plain = text.substr(0, text.find('%'));
    bytes += plain;
    text.remove_prefix(plain.size());
    if (text.empty())
      break;
    unsigned value = 0;
    const auto* digits = text.data() + 1;
    if (text.size() < 3
        || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2)
      return std::nullopt;
    bytes += static_cast<char>(value);
    text.remove_prefix(3);
  }
  return bytes;
}

} // namespace torpor
