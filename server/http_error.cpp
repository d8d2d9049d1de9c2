// SPDX-License-Identifier: Apache-2.0
#include "server/http_error.hpp"

#include "cli/json.hpp"
#include "runtime/stream_name.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

constexpr std::string_view head = "{\"error\":{\"code\":\"";

} // namespace

http_response error_response(boost::beast::http::status status,
                             std::string_view code, std::string_view message) {
  namespace http = boost::beast::http;
  http_response answer{status, 11};
  answer.set(http::field::content_type, "application/json");
  answer.set(http::field::cache_control, "no-store");
  answer.body() = share(fmt::format("{}{}\",\"message\":{}}}}}", head, code,
                                    json_string(message)));
  return answer;
}

http_response no_such_stream(std::string_view name) {
  return error_response(boost::beast::http::status::not_found, "not_found",
                        fmt::format("stream '{}' does not exist; PUT makes it",
                                    printable(name)));
}

std::string_view error_code_of(const http_response& answer) noexcept {
  auto body = text_of(answer);
  if (!body.starts_with(head))
    return {};
  body.remove_prefix(head.size());
  return body.substr(0, body.find('"'));
}

} // namespace torpor
