// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/stream_offset.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace torpor {

/// How a read goes on at the end of a stream.
enum class live_mode : std::uint8_t {
  none,      ///< It does not.
  long_poll, ///< One answer when something comes.
  sse,       ///< Server-sent events.
};

/// What the query of a GET says.
struct stream_query {
  stream_offset offset;
  live_mode live = live_mode::none;
  std::optional<std::uint64_t> cursor;
};

/// Parses what follows the path, such as "offset=now&live=sse". Parameters of
/// other names are ignored, and a cursor that we never gave. Errors:
/// invalid_argument: a bad, empty or repeated offset, an unknown mode, a live
/// mode without an offset.
[[nodiscard]] result<stream_query> parse_query(std::string_view target);

} // namespace torpor
