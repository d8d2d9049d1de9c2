// SPDX-License-Identifier: Apache-2.0
#include "server/stream_query.hpp"

#include "runtime/stream_name.hpp"
#include "server/percent.hpp"
#include "server/stream_cursor.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

struct parameters {
  std::optional<std::string> offset;
  std::optional<std::string> live;
  std::optional<std::string> cursor;
};

result<void> take(parameters& all, std::string_view each) {
  const auto equals = each.find('=');
  const auto key = each.substr(0, equals);
  auto* into = key == "offset"   ? &all.offset
               : key == "live"   ? &all.live
               : key == "cursor" ? &all.cursor
                                 : nullptr;
  if (into == nullptr)
    return {};
  if (*into)
    return fail(errc::invalid_argument,
                fmt::format("the parameter '{}' is there twice", key));
  const auto value = equals == std::string_view::npos ? std::string_view{}
                                                      : each.substr(equals + 1);
  *into = percent_decoded(value);
  if (!*into)
    return fail(
      errc::invalid_argument,
      fmt::format("the parameter '{}' has a % without two hexadecimal "
                  "digits behind it",
                  key));
  return {};
}

result<live_mode> parse_mode(const std::optional<std::string>& text) {
  if (!text)
    return live_mode::none;
  if (*text == "long-poll")
    return live_mode::long_poll;
  if (*text == "sse")
    return live_mode::sse;
  return fail(errc::invalid_argument,
              fmt::format("live='{}' is not known; it is long-poll or sse",
                          printable(*text)));
}

} // namespace

result<stream_query> parse_query(std::string_view target) {
  parameters given;
  const auto mark = target.find('?');
  auto rest = mark == std::string_view::npos ? std::string_view{}
                                             : target.substr(mark + 1);
  while (!rest.empty()) {
    const auto each = rest.substr(0, rest.find('&'));
    if (auto taken = take(given, each); !taken)
      return tl::unexpected{taken.error()};
    rest.remove_prefix(std::min(rest.size(), each.size() + 1));
  }
  stream_query query;
  const auto live = parse_mode(given.live);
  if (!live)
    return tl::unexpected{live.error()};
  query.live = *live;
  if (query.live != live_mode::none && !given.offset)
    return fail(
      errc::invalid_argument,
      fmt::format("live={} needs an offset: '-1', 'now' or a value of "
                  "Stream-Next-Offset",
                  *given.live));
  if (given.cursor)
    query.cursor = parse_cursor(*given.cursor);
  if (!given.offset)
    return query;
  return parse_offset(*given.offset).map([&](const stream_offset& offset) {
    query.offset = offset;
    return query;
  });
}

} // namespace torpor
