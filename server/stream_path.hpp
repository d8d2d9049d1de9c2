// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <string>
#include <string_view>

namespace torpor {

/// Below it lie the streams: what follows is a stream's name, percent-encoded.
inline constexpr std::string_view stream_root = "/v1/stream/";

/// A path without its query: "/v1/stream/a" of "/v1/stream/a?offset=-1".
[[nodiscard]] std::string_view path_of(std::string_view target) noexcept;

/// The name of the stream at a path: what follows `stream_root`, decoded.
/// Slashes belong to it; a name is only ever a key. Errors: invalid_argument:
/// another path, bad escapes, a segment "." or "..", no name (`check_name`).
[[nodiscard]] result<std::string> stream_name_of(std::string_view path);

/// Whether the protocol keeps that name for subscriptions: "__ds" and what is
/// below it.
[[nodiscard]] bool reserved_name(std::string_view name) noexcept;

} // namespace torpor
