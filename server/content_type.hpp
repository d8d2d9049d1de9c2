// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <string>
#include <string_view>

namespace torpor {

/// What a stream is made with when nothing else is said.
inline constexpr std::string_view default_type = "application/octet-stream";

/// Entries with their boundaries, times and properties (docs/http.md).
inline constexpr std::string_view
  entries_type = "application/vnd.torpor.entries";

/// How the protocol treats a stream's entries.
enum class stream_kind : std::uint8_t {
  bytes, ///< Put one after another; as base64 in events.
  text,  ///< text/*: the same, but events carry it as it is.
  json,  ///< application/json: each entry is a value; answers are arrays.
};

/// A content type as streams keep and compare it: type and subtype, in lower
/// case, without parameters. Errors: invalid_argument: not of that form or over
/// 256 bytes.
[[nodiscard]] result<std::string> media_type(std::string_view given);

/// Of a type from `media_type`.
[[nodiscard]] stream_kind kind_of(std::string_view type) noexcept;

} // namespace torpor
