// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <boost/beast/http/status.hpp>

#include <cstdint>
#include <string_view>

namespace torpor {

/// An answer without a body.
[[nodiscard]] http_response answer(boost::beast::http::status status);

/// Sets a field of the protocol.
void set_field(http_response& in, std::string_view name,
               std::string_view value);
void set_field(http_response& in, std::string_view name, std::uint64_t value);
/// Sets Stream-Next-Offset, and Stream-Closed if it is so.
void set_place(http_response& in, sequence next, bool closed);

/// The answer to a request that failed: its status by the code (docs/http.md),
/// with Retry-After when the same request may be right later.
[[nodiscard]] http_response failure_answer(const error& failure,
                                           std::string_view stream);

/// A part of the protocol that is not offered.
[[nodiscard]] http_response not_offered(std::string_view what);

/// What a browser has to know before it asks from a page of elsewhere.
[[nodiscard]] http_response preflight_answer();

/// The answer to a method that streams do not know.
[[nodiscard]] http_response wrong_method(std::string_view method);

} // namespace torpor
