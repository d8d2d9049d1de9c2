// SPDX-License-Identifier: Apache-2.0
#include "cli/stream_info_json.hpp"

#include <fmt/format.h>

#include <simdjson.h>

namespace torpor {

namespace {

using simdjson::dom::element;

tl::unexpected<error> foreign() {
  return fail(errc::incompatible,
              "the server's answer is not what torpord tells of streams");
}

template <class T>
T number(const element& from, std::string_view key) {
  std::uint64_t value = 0;
  std::int64_t negative = 0;
  if (from.at_key(key).get(value) == simdjson::SUCCESS)
    return static_cast<T>(value);
  return from.at_key(key).get(negative) == simdjson::SUCCESS
           ? static_cast<T>(negative)
           : T{};
}

std::string text(const element& from, std::string_view key) {
  std::string_view value;
  return from.at_key(key).get(value) == simdjson::SUCCESS ? std::string{value}
                                                          : std::string{};
}

bool flag(const element& from, std::string_view key) {
  bool value = false;
  return from.at_key(key).get(value) == simdjson::SUCCESS && value;
}

sync_policy policy_of(const element& from) {
  return {number<std::uint32_t>(from, "max_delay_ms"),
          number<std::uint32_t>(from, "max_bytes"),
          number<std::uint32_t>(from, "linger_ms")};
}

retention_policy retention_of(const element& from) {
  return {number<std::uint64_t>(from, "age_ms"),
          number<std::uint64_t>(from, "bytes"),
          number<std::uint64_t>(from, "entries"),
          number<std::uint64_t>(from, "ttl_ms"),
          number<std::int64_t>(from, "expires_ms")};
}

} // namespace

result<stream_list> read_stream_list(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::padded_string copy{json};
  simdjson::dom::array streams;
  element all;
  if (parser.parse(copy).get(all) != simdjson::SUCCESS
      || all.at_key("streams").get(streams) != simdjson::SUCCESS)
    return foreign();
  stream_list list;
  list.more = flag(all, "more");
  for (const auto each : streams)
    list.streams.emplace_back(text(each, "name"),
                              number<stream_id>(each, "id"));
  return list;
}

result<stream_info> read_stream_info(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::padded_string copy{json};
  element all;
  element part;
  std::uint64_t id = 0;
  if (parser.parse(copy).get(all) != simdjson::SUCCESS
      || all.at_key("id").get(id) != simdjson::SUCCESS)
    return foreign();
  stream_info info;
  info.name = text(all, "name");
  info.id = stream_id{id};
  info.first = number<sequence>(all, "first");
  info.next = number<sequence>(all, "next");
  info.origin.at = info.first + number<std::uint64_t>(all, "inherited");
  info.last_ms = number<std::int64_t>(all, "last_ms");
  info.bytes = number<std::uint64_t>(all, "bytes");
  info.closed = flag(all, "closed");
  info.content_type = text(all, "content_type");
  info.producers = number<std::uint32_t>(all, "producers");
  if (all.at_key("policy").get(part) == simdjson::SUCCESS)
    info.policy = policy_of(part);
  if (all.at_key("own_retention").get(part) == simdjson::SUCCESS)
    info.retention = retention_of(part);
  return info;
}

} // namespace torpor
