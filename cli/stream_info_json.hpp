// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/read.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

/// One answer to a list.
struct stream_list {
  std::vector<std::pair<std::string, stream_id>> streams;
  bool more = false;
};

/// What a daemon tells about its streams: GET /v1/streams and
/// /v1/streams/NAME (docs/http.md). What is missing stays as it is by default.
/// Errors: incompatible: it is something else.
[[nodiscard]] result<stream_list> read_stream_list(std::string_view json);
[[nodiscard]] result<stream_info> read_stream_info(std::string_view json);

} // namespace torpor
