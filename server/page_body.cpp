// SPDX-License-Identifier: Apache-2.0
#include "server/page_body.hpp"

#include "cli/json.hpp"
#include "server/entries_body.hpp"
#include "server/sse_event.hpp"

namespace torpor {

std::string_view type_of(const read_page& page) noexcept {
  return page.content_type.empty() ? default_type : page.content_type;
}

std::string body_of(const read_page& page, bool boundaries) {
  if (boundaries)
    return entries_body(page.entries);
  const auto json = kind_of(page.content_type) == stream_kind::json;
  std::size_t bytes = 2;
  for (const auto& entry : page.entries)
    bytes += entry.payload.size() + 1;
  std::string body;
  body.reserve(bytes);
  if (json)
    body += '[';
  for (const auto& entry : page.entries) {
    if (json && body.size() > 1)
      body += ',';
    body += as_text(entry.payload);
  }
  if (json)
    body += ']';
  return body;
}

std::string event_of(const read_page& page) {
  if (page.entries.empty())
    return {};
  const auto body = body_of(page, false);
  return data_event(
    kind_of(page.content_type) == stream_kind::bytes ? base64(body) : body);
}

std::string control_of(const read_page& page, std::uint64_t cursor) {
  control_event event{page.next_from, cursor, at_tail(page), at_end(page)};
  if (event.closed) // Nobody comes again.
    event.cursor.reset();
  return to_text(event);
}

} // namespace torpor
