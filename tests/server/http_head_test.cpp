// SPDX-License-Identifier: Apache-2.0
#include "server/http_head.hpp"

#include <doctest/doctest.h>

using namespace torpor;

namespace {

namespace http = boost::beast::http;

std::string head_of(const http_response& answer, const answer_form& form) {
  std::string text;
  append_head(text, answer, form, "now");
  return text;
}

bool has(const std::string& text, std::string_view line) {
  return text.find(line) != text.npos;
}

} // namespace

TEST_CASE("a head has the answer's fields, and what belongs to every answer") {
  http_response answer{http::status::created, 11};
  answer.set(http::field::location, "/v1/stream/a");
  answer.set("Stream-Next-Offset", "0_1");
  answer.body() = share("abc");
  const auto text = head_of(answer, {});
  CHECK(text.starts_with("HTTP/1.1 201 Created\r\nLocation: /v1/stream/a\r\n"
                         "Stream-Next-Offset: 0_1\r\nContent-Length: 3\r\n"
                         "Date: now\r\nX-Content-Type-Options: nosniff\r\n"));
  CHECK(text.ends_with("\r\n\r\n"));
  CHECK_FALSE(has(text, "Connection"));
}

TEST_CASE("what is the connection's business is not the answer's") {
  http_response answer{http::status::ok, 11};
  answer.set(http::field::content_length, "7");
  answer.set(http::field::transfer_encoding, "gzip");
  answer.set(http::field::connection, "Upgrade, close");
  answer.set(http::field::date, "then");
  CHECK(asks_to_close(answer));
  const auto text = head_of(answer, {body_framing::chunked, false, false});
  CHECK(text.starts_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                         "Connection: close\r\nDate: now\r\n"));
  answer.set(http::field::connection, "keep-alive");
  CHECK_FALSE(asks_to_close(answer));
  CHECK(has(head_of(answer, {body_framing::none, true, false}),
            "Content-Length: 7\r\n"));
}

TEST_CASE("only a client of HTTP/1.0 is told that the connection stays") {
  const http_response answer{http::status::ok, 11};
  CHECK(has(head_of(answer, {body_framing::length, true, true}),
            "Connection: keep-alive\r\n"));
}

TEST_CASE("an answer's own field takes the place of a standard one") {
  http_response answer{http::status::ok, 11};
  answer.set("cross-origin-resource-policy", "same-origin");
  const auto text = head_of(answer, {});
  CHECK(has(text, "cross-origin-resource-policy: same-origin\r\n"));
  CHECK_FALSE(has(text, "Cross-Origin-Resource-Policy: cross-origin"));
  CHECK(has(text, "X-Content-Type-Options: nosniff\r\n"));
}

TEST_CASE("a date is written as HTTP wants it") {
  date_text date;
  CHECK(date.at(784'111'777'999) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(784'111'778'000) == "Sun, 06 Nov 1994 08:49:38 GMT");
}
