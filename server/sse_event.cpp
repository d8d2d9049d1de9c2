// SPDX-License-Identifier: Apache-2.0
#include "server/sse_event.hpp"

#include "server/stream_offset.hpp"

#include <fmt/format.h>

namespace torpor {

std::string data_event(std::string_view text) {
  std::string event{"event: data\n"};
  event.reserve(event.size() + text.size() + 16);
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    const auto line = text.substr(0, end);
    event += "data:";
    // Readers take one blank away.
    if (line.starts_with(' '))
      event += ' ';
    event += line;
    event += '\n';
    if (end == std::string_view::npos)
      break;
    text.remove_prefix(text.substr(end).starts_with("\r\n") ? end + 2
                                                            : end + 1);
  }
  event += '\n';
  return event;
}

std::string to_text(const control_event& event) {
  auto text = fmt::format("event: control\ndata:{{\"streamNextOffset\":\"{}\"",
                          offset_text(event.next));
  if (event.cursor)
    text += fmt::format(",\"streamCursor\":\"{}\"", *event.cursor);
  if (event.up_to_date)
    text += ",\"upToDate\":true";
  if (event.closed)
    text += ",\"streamClosed\":true";
  text += "}\n\n";
  return text;
}

} // namespace torpor
