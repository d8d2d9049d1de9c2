// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_files.hpp"

#include <algorithm>

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

bool is_withheld(disk& files, const std::string& directory,
                 std::uint64_t number) {
  const auto name = segment_file_name(number);
  if (files.open(directory + "/" + name, open_mode::read))
    return false;
  const auto names = files.list(directory);
  return !names
         || std::find(names->begin(), names->end(), name) != names->end();
}

} // namespace torpor
