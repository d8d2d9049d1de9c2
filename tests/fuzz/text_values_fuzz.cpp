// SPDX-License-Identifier: Apache-2.0
// Small texts: quantities, times, URLs, paths, offsets, types and events.
// Input: a byte that says which, then the text.
#include "cli/http_url.hpp"
#include "cli/human.hpp"
#include "runtime/assert.hpp"
#include "runtime/quantity.hpp"
#include "runtime/stream_name.hpp"
#include "server/content_type.hpp"
#include "server/listen.hpp"
#include "server/percent.hpp"
#include "server/sse_event.hpp"
#include "server/stream_cursor.hpp"
#include "server/stream_offset.hpp"
#include "server/stream_path.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

void try_quantities(std::string_view text) {
  static_cast<void>(parse_bytes(text));
  if (const auto bytes = parse_bytes(text))
    TORPOR_ASSERT(parse_bytes(std::to_string(*bytes)) == bytes);
  if (const auto span = parse_span(text))
    TORPOR_ASSERT(parse_span(std::to_string(*span) + "ms") == span);
  if (const auto time = parse_time(text))
    TORPOR_ASSERT(parse_time(human_time(*time)) == time);
}

void try_people(fuzz_input& input) {
  const auto number = input.number();
  const auto either = static_cast<std::int64_t>(number);
  TORPOR_ASSERT(!human_bytes(static_cast<double>(number)).empty());
  TORPOR_ASSERT(!human_age(either).empty());
  const auto share = static_cast<double>(either) / 1000;
  TORPOR_ASSERT(human_bar(share, 20).size() == 22);
  constexpr std::int64_t year_10000_ms = 253'402'300'800'000;
  const auto text = human_time(either);
  if (either >= 0 && either < year_10000_ms)
    TORPOR_ASSERT(parse_time(text) == either);
}

void try_url(std::string_view text) {
  const auto url = parse_http_url(text);
  if (!url) {
    TORPOR_ASSERT(url.error().code == errc::invalid_argument);
    return;
  }
  TORPOR_ASSERT(url->text == text);
  if (!url->socket.empty())
    return;
  const auto again = parse_http_url((url->tls ? "https://" : "http://")
                                    + url->authority() + url->base);
  TORPOR_ASSERT(again && again->host == url->host && again->port == url->port
                && again->base == url->base && again->tls == url->tls);
}

/// A name comes through a URL as it was, but for segments that clients drop.
void try_name(std::string_view name) {
  for (const auto slashes : {true, false})
    TORPOR_ASSERT(percent_decoded(percent_encoded(name, slashes)) == name);
  const auto path = std::string{stream_root} + percent_encoded(name);
  const auto found = stream_name_of(path_of(path + "?offset=-1"));
  if (found)
    TORPOR_ASSERT(*found == name && check_name(name));
  else
    TORPOR_ASSERT(!check_name(name) || name.find('.') != name.npos);
}

void try_path(std::string_view target) {
  const auto path = path_of(target);
  static_cast<void>(percent_decoded(path));
  if (const auto name = stream_name_of(path)) {
    TORPOR_ASSERT(check_name(*name));
    static_cast<void>(reserved_name(*name));
  }
}

void try_offset(std::string_view text) {
  if (const auto offset = parse_offset(text);
      offset && offset->where == stream_offset::place::at)
    TORPOR_ASSERT(offset_text(offset->at) == text);
  if (const auto cursor = parse_cursor(text))
    TORPOR_ASSERT(cursor_after(7, cursor, 5) >= 7);
}

void try_type(std::string_view text) {
  const auto type = media_type(text);
  if (type)
    TORPOR_ASSERT(media_type(*type) == *type);
  static_cast<void>(check_socket_path(std::string{text}));
}

/// No text ends its event or begins another one, and a reader gets its lines.
void try_event(std::string_view text) {
  const auto event = data_event(text);
  TORPOR_ASSERT(event.starts_with("event: data\ndata:"));
  TORPOR_ASSERT(event.find("\n\n") == event.size() - 2);
  TORPOR_ASSERT(event.find('\r') == event.npos);
  std::string_view rest{event};
  rest.remove_prefix(rest.find('\n') + 1);
  std::string read;
  while (rest != "\n") {
    TORPOR_ASSERT(rest.starts_with("data:"));
    auto line = rest.substr(5, rest.find('\n') - 5);
    rest.remove_prefix(rest.find('\n') + 1);
    if (line.starts_with(' '))
      line.remove_prefix(1);
    read.append(line).push_back('\n');
  }
  std::string wanted;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto ends = text[i] == '\r';
    if (ends && i + 1 < text.size() && text[i + 1] == '\n')
      ++i;
    wanted += ends ? '\n' : text[i];
  }
  TORPOR_ASSERT(read == wanted + '\n');
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  switch (input.u8() % 8) {
    case 0: try_quantities(input.rest()); break;
    case 1: try_people(input); break;
    case 2: try_url(input.rest()); break;
    case 3: try_name(input.rest()); break;
    case 4: try_path(input.rest()); break;
    case 5: try_offset(input.rest()); break;
    case 6: try_type(input.rest()); break;
    default: try_event(input.rest());
  }
  return 0;
}
