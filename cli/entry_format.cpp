// SPDX-License-Identifier: Apache-2.0
#include "cli/entry_format.hpp"

#include "cli/json.hpp"

namespace torpor {

namespace {

std::string as_json(const entry_view& entry) {
  json_object object;
  object.number("seq", raw(entry.seq)).number("time_ms", entry.time_ms);
  if (!entry.encoded.empty()) {
    json_array pairs;
    for (const auto& [key, value] : entry.properties())
      pairs.add(json_object{}.text("key", key).text("value", value).str());
    object.raw("properties", pairs.str());
  }
  return object.text("payload", as_text(entry.payload)).str();
}

} // namespace

void print_entry(std::string& into, entry_format format,
                 const entry_view& entry) {
  switch (format) {
    case entry_format::text:
      into += as_text(entry.payload);
      into += '\n';
      break;
    case entry_format::json:
      into += as_json(entry);
      into += '\n';
      break;
    case entry_format::length_prefixed:
      for (unsigned shift = 0; shift < 32; shift += 8)
        into += static_cast<char>(entry.payload.size() >> shift & 0xff);
      into += as_text(entry.payload);
      break;
  }
}

} // namespace torpor
