// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// A place in a stream as the protocol writes it.
[[nodiscard]] inline std::string offset_text(sequence place) {
  return fmt::format("{:016}_{:016}", 0, raw(place));
}

/// Nothing if it is no offset of Torpor's.
[[nodiscard]] inline std::optional<sequence>
read_offset(std::string_view text) {
  constexpr std::string_view first = "0000000000000000_";
  if (!text.starts_with(first))
    return std::nullopt;
  text.remove_prefix(first.size());
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end)
    return std::nullopt;
  return sequence{number};
}

} // namespace torpor
