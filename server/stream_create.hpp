// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/stream_door.hpp"

#include <string_view>

namespace torpor {

/// Answers a PUT: makes a stream, also out of another one, unless there is one
/// of the same kind already.
void create_stream(stream_door& door, http_exchange& exchange,
                   std::string_view stream);

} // namespace torpor
