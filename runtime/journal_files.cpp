// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace torpor {

namespace {

constexpr std::string_view unfinished_suffix = ".tmp";

/// The number in a journal file's name, if it is one.
std::optional<std::uint32_t> number_of(std::string_view name) {
  std::uint32_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  if (number == 0 || journal_file_name(number) != name)
    return std::nullopt;
  return number;
}

} // namespace

std::string journal_file_name(std::uint32_t number) {
  return fmt::format("{:010}.journal", number);
}

std::string journal_file_path(const journal_config& config,
                              std::uint32_t number) {
  return fmt::format("{}/{}", config.directory, journal_file_name(number));
}

std::string unfinished_file_path(const journal_config& config,
                                 std::uint32_t number) {
  return journal_file_path(config, number) + std::string{unfinished_suffix};
}

result<journal_listing> list_journal_files(disk& disk,
                                           const journal_config& config) {
  const auto names = disk.list(config.directory);
  if (!names)
    return tl::unexpected{names.error()};
  journal_listing listing;
  for (std::string_view name : *names) {
    if (const auto number = number_of(name)) {
      listing.numbers.push_back(*number);
    } else if (name.ends_with(unfinished_suffix)) {
      name.remove_suffix(unfinished_suffix.size());
      if (const auto unfinished = number_of(name))
        listing.unfinished.push_back(unfinished_file_path(config, *unfinished));
    }
  }
  std::sort(listing.numbers.begin(), listing.numbers.end());
  return listing;
}

} // namespace torpor
