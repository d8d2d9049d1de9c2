// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"

#include <boost/beast/http/status.hpp>

#include <string_view>

namespace torpor {

/// The answer to a request that failed: a status, and as JSON a code for
/// programs ("not_found") and a text for people, which names the thing and the
/// remedy: {"error":{"code":"...","message":"..."}}. All errors are made here.
[[nodiscard]] http_response error_response(boost::beast::http::status status,
                                           std::string_view code,
                                           std::string_view message);

/// The 404 of a stream. Who may not know whether a stream exists gets the same
/// answer as when it does not, byte by byte: it has nothing from the stream.
[[nodiscard]] http_response no_such_stream(std::string_view name);

/// The code in an answer of `error_response`; empty for any other.
[[nodiscard]] std::string_view
error_code_of(const http_response& answer) noexcept;

} // namespace torpor
