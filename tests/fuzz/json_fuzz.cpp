// SPDX-License-Identifier: Apache-2.0
// JSON: what the server takes from a body, what the tool writes, and what it
// reads of a daemon's answers. Input: a text.
#include "cli/json.hpp"
#include "cli/json_entries.hpp"
#include "cli/stream_info_json.hpp"
#include "runtime/assert.hpp"
#include "server/json_messages.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <simdjson.h>

#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Another parser says the same, save of numbers that it cannot hold, of escapes
/// of half a surrogate pair, and of what is nested deeper than we take it.
void compare(std::string_view text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string copy{text};
  const auto why = parser.parse(copy).error();
  if (is_json_value(text))
    TORPOR_ASSERT(why == simdjson::SUCCESS || why == simdjson::NUMBER_ERROR
                  || (why == simdjson::STRING_ERROR
                      && text.find("\\u") != text.npos));
  else if (why == simdjson::SUCCESS)
    TORPOR_ASSERT(std::ranges::count(text, '[') + std::ranges::count(text, '{')
                  > 500);
}

/// The messages of a body are values, and an array of them has the same ones.
void take_messages(std::string_view body) {
  const auto messages = json_messages(body);
  if (!messages) {
    TORPOR_ASSERT(messages.error().code == errc::invalid_argument);
    return;
  }
  json_array array;
  for (const auto each : *messages) {
    TORPOR_ASSERT(is_json_value(each));
    array.add(each);
  }
  TORPOR_ASSERT(json_messages(array.str()) == *messages);
  TORPOR_ASSERT(check_json_entries("name", *messages, 0));
}

/// What is written is what another parser reads.
void write(std::string_view text) {
  const auto quoted = json_string(text);
  TORPOR_ASSERT(is_json_value(quoted));
  if (is_utf8(text)) {
    simdjson::dom::parser parser;
    const simdjson::padded_string copy{quoted};
    std::string_view found;
    TORPOR_ASSERT(parser.parse(copy).get(found) == simdjson::SUCCESS);
    TORPOR_ASSERT(found == text);
  }
  json_object object;
  object.text("key", text).flag("flag", true);
  TORPOR_ASSERT(is_json_value(object.str()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto text = fuzz_input{data, size}.rest();
  compare(text);
  take_messages(text);
  write(text);
  TORPOR_ASSERT(is_utf8(text) || !is_json_value(text));
  static_cast<void>(read_stream_list(text));
  static_cast<void>(read_stream_info(text));
  return 0;
}
