// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_files.hpp"

#include <fmt/format.h>

#include <charconv>

namespace torpor {

std::string segment_file_name(std::uint64_t number) {
  return fmt::format("{:010}.segment", number);
}

std::optional<std::uint64_t> segment_file_number(std::string_view name) {
  std::uint64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  if (number == 0 || segment_file_name(number) != name)
    return std::nullopt;
  return number;
}

} // namespace torpor
