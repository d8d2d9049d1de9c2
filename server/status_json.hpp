// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/server_facts.hpp"
#include "torpor/read.hpp"
#include "torpor/types.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace torpor {

// What the pages below /v1 answer, as JSON (docs/http.md, Operations).

/// /v1/stats.
[[nodiscard]] std::string to_json(const server_facts& facts);

/// /v1/streams: the first `limit` of these names, and whether there are more.
[[nodiscard]] std::string
to_json(const std::vector<std::pair<std::string, stream_id>>& streams,
        std::size_t limit);

/// /v1/streams/NAME.
[[nodiscard]] std::string to_json(const stream_info& info);

} // namespace torpor
