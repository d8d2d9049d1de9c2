// SPDX-License-Identifier: Apache-2.0
#include "cli/http_client.hpp"

#include "cli/answer_head.hpp"
#include "cli/http_connection.hpp"
#include "cli/http_failure.hpp"
#include "cli/retry_pace.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace torpor {

namespace {

namespace http = boost::beast::http;

http::verb verb_of(http_method method) {
  switch (method) {
    case http_method::get: return http::verb::get;
    case http_method::head: return http::verb::head;
    case http_method::put: return http::verb::put;
    case http_method::post: return http::verb::post;
    case http_method::remove: return http::verb::delete_;
  }
  return http::verb::unknown;
}

http_connection::request to_request(const http_call& call,
                                    const daemon_place& place) {
  http_connection::request made{verb_of(call.method), call.target, 11};
  made.set(http::field::host, place.url.authority());
  if (!place.token.empty())
    made.set(http::field::authorization, "Bearer " + place.token);
  for (const auto& [name, value] : call.fields)
    made.set(name, value);
  made.body() = {call.body.data(), call.body.size()};
  made.prepare_payload();
  return made;
}

http_answer to_answer(http_connection::response got) {
  http_answer answer;
  answer.status = got.result_int();
  answer.head = fmt::format("HTTP/1.1 {}\r\n", answer.status);
  for (const auto& field : got) {
    const auto name = field.name_string();
    const auto value = field.value();
    answer.head += fmt::format("{}: {}\r\n",
                               std::string_view{name.data(), name.size()},
                               std::string_view{value.data(), value.size()});
  }
  answer.body = std::move(got.body());
  return answer;
}

/// Whether the server asks for patience. Without a time it means: for good.
bool is_full(const http_answer& answer) {
  return asks_for_patience(answer.status)
         && !answer.field("Retry-After").empty();
}

/// How long the server wants to be left alone, if it says so.
std::optional<retry_pace::seconds> pause_after(const http_answer& answer) {
  const auto text = answer.field("Retry-After");
  unsigned wanted = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(),
                                    wanted);
  if (read.ec != std::errc{})
    return std::nullopt;
  return retry_pace::seconds{wanted};
}

} // namespace

std::string_view http_answer::field(std::string_view name) const {
  return answer_header(head, name);
}

bool http_answer::flag(std::string_view name) const {
  return field(name) == "true";
}

http_client::http_client(daemon_place place)
  : place_(std::make_unique<daemon_place>(std::move(place))) {}
http_client::http_client(http_client&&) noexcept = default;
http_client& http_client::operator=(http_client&&) noexcept = default;
http_client::~http_client() = default;

result<http_answer> http_client::attempt(const http_call& call) {
  if (!connection_ || !connection_->usable()) {
    auto made = http_connection::open(*place_);
    if (!made)
      return tl::unexpected{made.error()};
    connection_ = std::move(*made);
  }
  return connection_->exchange(to_request(call, *place_), call.waits)
    .map([](http_connection::response got) {
      return to_answer(std::move(got));
    });
}

result<http_answer> http_client::send(const http_call& call) {
  for (retry_pace pace;;) {
    auto answer = attempt(call);
    if (answer && !is_full(*answer)) {
      met_ = true;
      return answer;
    }
    // "Full" changed nothing, so it may be tried again whatever it was. Who was
    // never there will hardly come.
    const auto again = answer ? true : call.repeatable && met_;
    if (!again)
      return answer;
    const auto pause = pace.next(steady::now(), answer ? pause_after(*answer)
                                                       : std::nullopt);
    if (!pause || !wait_for(*pause))
      return answer;
  }
}

} // namespace torpor
