// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/read.hpp"

#include <boost/beast/core/string.hpp>

#include <string>

namespace torpor {

/// Names what a page has: "stream:begin:end", with ":c" when the stream ends
/// there for good and ":e" when the answer has the entries' boundaries.
[[nodiscard]] std::string etag_of(const read_page& page, bool entries);

/// Whether an If-None-Match has that tag.
[[nodiscard]] bool matches(boost::beast::string_view if_none_match,
                           boost::beast::string_view etag);

} // namespace torpor
