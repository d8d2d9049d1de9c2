// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/stream_door.hpp"
#include "server/stream_query.hpp"
#include "torpor/read.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// Who asked for a page, as far as it changes the answer.
struct page_wish {
  explicit page_wish(const http_request& request);

  bool entries = false; ///< With boundaries: `entries_type`.
  bool secret = false;  ///< Came with credentials: no shared cache may keep it.
};

/// Reads one page and calls back. Errors: those of the engine, but
/// out_of_range only for what was there once; invalid_argument for what is
/// beyond the end.
void read_page_of(stream_door& door, std::string stream,
                  const stream_offset& from,
                  std::function<void(result<read_page>)> then);

/// The same for a stream that is known, behind what was read of it before.
void read_page_on(stream_door& door, stream_id stream, sequence from,
                  std::function<void(result<read_page>)> then);

/// The answer that has a page, without its body. `cursor`: of a live answer.
[[nodiscard]] http_response page_head(const read_page& page,
                                      const page_wish& wish,
                                      std::optional<std::uint64_t> cursor);

/// Of an answer to `offset=now`: the same question has another one in a moment.
void forbid_caching(http_response& answer);

/// Answers a GET that does not wait.
void read_stream(stream_door& door, http_exchange& exchange,
                 std::string_view stream, const stream_query& query);

/// Answers a HEAD.
void describe_stream(stream_door& door, http_exchange& exchange,
                     std::string_view stream);

} // namespace torpor
