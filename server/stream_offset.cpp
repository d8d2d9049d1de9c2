// SPDX-License-Identifier: Apache-2.0
#include "server/stream_offset.hpp"

#include "runtime/stream_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace torpor {

namespace {

constexpr std::size_t digits = 16;

/// Exactly 16 digits: two spellings of one offset would sort differently.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  if (text.size() != digits || text.front() == '-'
      || std::from_chars(text.data(), end, value).ptr != end)
    return std::nullopt;
  return value;
}

} // namespace

std::string offset_text(sequence at) {
  return fmt::format("{:016}_{:016}", 0, raw(at));
}

result<stream_offset> parse_offset(std::string_view text) {
  if (text == "-1")
    return stream_offset{};
  if (text == "now")
    return stream_offset{stream_offset::place::now, {}};
  if (text.size() == 2 * digits + 1 && text[digits] == '_') {
    const auto file = number(text.substr(0, digits));
    const auto at = number(text.substr(digits + 1));
    if (file && at && *file == 0)
      return stream_offset{stream_offset::place::at, sequence{*at}};
    if (file && at)
      return fail(errc::invalid_argument,
                  fmt::format("offset '{}' is beyond every stream", text));
  }
  return fail(
    errc::invalid_argument,
    fmt::format("'{}' is not an offset; one is '-1', 'now' or a value "
                "of Stream-Next-Offset",
                printable(text)));
}

} // namespace torpor
