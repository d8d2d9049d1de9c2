// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/stream_door.hpp"

#include <string_view>

namespace torpor {

/// Answers a POST: one append, one close or both.
void append_to_stream(stream_door& door, http_exchange& exchange,
                      std::string_view stream);

/// Answers a DELETE.
void delete_stream(stream_door& door, http_exchange& exchange,
                   std::string_view stream);

} // namespace torpor
