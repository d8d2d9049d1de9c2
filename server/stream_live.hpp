// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/stream_door.hpp"
#include "server/stream_query.hpp"

#include <string_view>

namespace torpor {

/// Answers a GET with live=long-poll: with what there is, else with the first
/// that comes, else, after a while, with nothing.
void long_poll(stream_door& door, http_exchange& exchange,
               std::string_view stream, const stream_query& query);

/// Answers a GET with live=sse: events with what there is and what comes, until
/// the stream ends or its lifetime does. A slow client is read to at its own
/// pace and never has more than a page unsent.
void stream_events(stream_door& door, http_exchange& exchange,
                   std::string_view stream, const stream_query& query);

} // namespace torpor
