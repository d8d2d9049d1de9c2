// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <string>
#include <string_view>

namespace torpor {

/// Where in a stream a request begins.
struct stream_offset {
  enum class place : std::uint8_t {
    start, ///< "-1": the oldest entry that is kept.
    now,   ///< "now": behind the newest entry.
    at,    ///< Any other.
  };
  place where = place::start;
  sequence at{};
  bool operator==(const stream_offset&) const = default;
};

/// The offset before the entry of that sequence: two numbers of 16 digits with
/// a '_' between them, the first of them 0. So offsets sort as texts.
[[nodiscard]] std::string offset_text(sequence at);

/// Errors: invalid_argument: neither "-1" nor "now" nor of `offset_text`.
[[nodiscard]] result<stream_offset> parse_offset(std::string_view text);

} // namespace torpor
