// SPDX-License-Identifier: Apache-2.0
#include "server/request_reader.hpp"

#include <doctest/doctest.h>

#include <string>
#include <tuple>

using namespace torpor;
using step = request_reader::step;

namespace {

struct fixture {
  /// The status of the refusal of a text; 0 when there is none, 200 when it is
  /// a whole request.
  [[nodiscard]] int status_of(std::string_view text) const {
    request_reader reader{limits};
    switch (reader.feed(text)) {
      case step::complete: return 200;
      case step::incomplete: return 0;
      case step::refused: break;
    }
    return static_cast<int>(reader.refusal().status);
  }

  request_limits limits;
};

std::string fields(int count) {
  std::string text = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 1; i < count; ++i)
    text += "a: b\r\n";
  return text + "\r\n";
}

} // namespace

TEST_CASE_FIXTURE(fixture, "a request has its method, target, fields and body") {
  request_reader reader{limits};
  CHECK_FALSE(reader.started());
  REQUIRE(reader.feed("PUT /a%20b?c=d HTTP/1.1\r\nHost: x\r\nStream-Seq: 7\r\n"
                      "Content-Length: 3\r\n\r\nabc")
          == step::complete);
  const auto& found = reader.request();
  CHECK(found.method() == boost::beast::http::verb::put);
  CHECK(found.target() == "/a%20b?c=d");
  CHECK(found.version() == 11);
  CHECK(found["stream-seq"] == "7");
  CHECK(found.body() == "abc");
  CHECK(reader.keep_alive());
}

TEST_CASE_FIXTURE(fixture, "a target that is a whole URL tells the host, too") {
  const std::tuple<std::string, std::string, std::string> targets[] = {
    {"http://a:80/v1/stream/s?offset=-1", "a:80", "/v1/stream/s?offset=-1"},
    {"HTTPS://[::1]/x://y", "[::1]", "/x://y"},
    {"http://a", "a", "/"},
    {"http://a?b=/c", "a", "/?b=/c"},
    // These are none of HTTP: there is nothing at such a path.
    {"http://", "x", "http://"},
    {"http:///a", "x", "http:///a"},
    {"http://me@a/b", "x", "http://me@a/b"},
    {"ftp://a/b", "x", "ftp://a/b"},
    {"/http://a/b", "x", "/http://a/b"},
    {"*", "x", "*"}};
  for (const auto& [target, host, path] : targets)
    for (const auto* const version : {"1.0", "1.1"}) {
      INFO(target);
      request_reader reader{limits};
      REQUIRE(reader.feed("GET " + target + " HTTP/" + version
                          + "\r\nHost: x\r\n\r\n")
              == step::complete);
      CHECK(std::string{reader.request().target()} == path);
      CHECK(std::string{reader.request()["host"]} == host);
      CHECK(reader.request().count("host") == 1);
    }
  CHECK(status_of("GET http://a/ HTTP/1.1\r\n\r\n") == 400);
}

TEST_CASE_FIXTURE(fixture, "a request is the same however it is cut") {
  const std::string text = "\r\nPOST /first HTTP/1.1\r\nHost: x\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n"
                           "5\r\nabcde\r\n1;x=\"y\"\r\nf\r\n0\r\nX: y\r\n\r\n"
                           "GET /second HTTP/1.1\r\nHost: y\r\n\r\n";
  for (std::size_t i = 0; i <= text.size(); ++i)
    for (std::size_t j = i; j <= text.size(); ++j) {
      request_reader reader{limits};
      const std::string_view parts[] = {
        std::string_view{text}.substr(0, i),
        std::string_view{text}.substr(i, j - i),
        std::string_view{text}.substr(j)};
      std::string seen;
      for (const auto part : parts)
        for (auto reached = reader.feed(part);; reached = reader.feed("")) {
          REQUIRE(reached != step::refused);
          if (reached == step::incomplete)
            break;
          seen += std::string{reader.request().target()} + " "
                  + std::string{reader.request()["host"]} + " "
                  + reader.request().body() + "\n";
          reader.drop_request();
        }
      REQUIRE(seen == "/first x abcdef\n/second y \n");
      REQUIRE(reader.held() == 0);
      REQUIRE_FALSE(reader.started());
    }
}

TEST_CASE_FIXTURE(fixture, "a body of a last chunk alone may come byte by byte") {
  const std::string header = "POST / HTTP/1.1\r\nHost: x\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n";
  for (const std::string chunk : {"0\r\n\r\n", "00\r\n\r\n", "0;a=b\r\n\r\n",
                                  "0\r\nA: b\r\n\r\n"}) {
    request_reader reader{limits};
    REQUIRE(reader.feed(header) == step::incomplete);
    for (std::size_t i = 0; i + 1 < chunk.size(); ++i)
      REQUIRE(reader.feed(chunk.substr(i, 1)) == step::incomplete);
    REQUIRE(reader.feed("\n") == step::complete);
    CHECK(reader.request().body().empty());
    CHECK(reader.held() == 0);
  }
}

TEST_CASE_FIXTURE(fixture, "what is no request is refused by its kind") {
  const std::tuple<int, std::string_view> cases[] = {
    {400, "\x16\x03\x01"},
    {400, " GET / HTTP/1.1\r\n\r\n"},
    {400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {400, "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"},
    {400, "GET /\r\n\r\n"},
    {400, "GET / HTTP/11\r\n\r\n"},
    {400, "GET / http/1.1\r\n\r\n"},
    {400, "GET / FTP/1.1\r\n\r\n"},
    {400, "G(T / HTTP/1.1\r\n\r\n"},
    {400, std::string_view{"GET /\0 HTTP/1.1\r\n\r\n", 19}},
    {400, "GET /\x01 HTTP/1.1\r\n\r\n"},
    {400, "GET / HTTP/1.1\nHost: x\n\n"},
    {400, "GET / HTTP/1.1\r\nHost : x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nno colon\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n: nameless\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\"<>\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
    {400, "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
          "Authorization: Bearer b\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
          "Content-Length: 2\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
          "99999999999999999999\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
          "Transfer-Encoding: chunked\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
          "Content-Length: 1\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
          "Transfer-Encoding: chunked\r\n\r\n"},
    {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          "xyz\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          "-1\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          "1\r\nabc\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          "fffffffffffffffff\r\n"},
    {413, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          "ffffffffffffffff\r\n"},
    {413, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n"},
    {417, "POST / HTTP/1.1\r\nHost: x\r\nExpect: the worst\r\n\r\n"},
    {501, "BREW / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {501, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"},
    {501, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked"
          "\r\n\r\n"},
    {501, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n"
          "Transfer-Encoding: chunked\r\n\r\n"},
    {501, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n"
          "Content-Length: 5\r\n\r\nabcde"},
    {400, "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"},
    {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {505, "GET / HTTP/1.2\r\nHost: x\r\n\r\n"},
    {505, "GET / HTTP/0.9\r\n\r\n"},
    {200, "GET / HTTP/1.0\r\n\r\n"},
    {200, "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {200, "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"},
    {200, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"},
    {200, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
          "Content-Length: 1\r\n\r\nx"},
    {0, ""},
    {0, "\r\n\r\n"},
    {0, "GET"},
    {0, "GET / HTTP/1.1\r\nHost: x\r\n"},
  };
  for (const auto& [status, text] : cases) {
    INFO(std::string{text});
    CHECK(status_of(text) == status);
  }
}

TEST_CASE_FIXTURE(fixture, "a header may be as large as is allowed, not larger") {
  const std::string line = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  const auto with = [&](std::size_t bytes) {
    return line + std::string(bytes - line.size() - 4, 'a') + "\r\n\r\n";
  };
  CHECK(status_of(with(limits.header_bytes_max)) == 200);
  CHECK(status_of(with(limits.header_bytes_max + 1)) == 431);
  CHECK(status_of(with(limits.header_bytes_max + 100)) == 431);
  // A long first line does not leave more to the rest.
  const auto half = std::string(limits.header_bytes_max / 2, 'a');
  CHECK(status_of("GET /" + half + " HTTP/1.1\r\nHost: x\r\nA: " + half
                  + "\r\n\r\n")
        == 431);
  CHECK(status_of("POST /" + half + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
                  "1\r\nA: " + half + "\r\n\r\nx")
        == 431);
  CHECK(status_of(line + std::string(limits.header_bytes_max, 'a')) == 431);
  CHECK(status_of("GET /" + std::string(limits.header_bytes_max, 'a')) == 414);
}

TEST_CASE_FIXTURE(fixture, "a header that comes line by line is bounded, too") {
  request_reader reader{limits};
  // With so little left over, Beast does not wait for the header's end.
  CHECK(reader.feed("GET / HTTP/1.1\r\nHost: x\r\nA") == step::incomplete);
  const auto line = ": " + std::string(1000, 'a') + "\r\nA";
  int lines = 0;
  while (reader.feed(line) == step::incomplete)
    REQUIRE(++lines < 100);
  CHECK(lines == 16);
  CHECK(static_cast<int>(reader.refusal().status) == 431);
}

TEST_CASE_FIXTURE(fixture, "a header has 128 fields at most") {
  CHECK(status_of(fields(128)) == 200);
  CHECK(status_of(fields(129)) == 431);
}

TEST_CASE_FIXTURE(fixture, "a body may be as large as is allowed, not larger") {
  limits.body_bytes_max = 10;
  const std::string plain = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ";
  CHECK(status_of(plain + "10\r\n\r\n0123456789") == 200);
  CHECK(status_of(plain + "11\r\n\r\n") == 413);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n";
  CHECK(status_of(chunked + "5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n") == 200);
  CHECK(status_of(chunked + "5\r\nabcde\r\n6\r\nabcde") == 413);
}

TEST_CASE_FIXTURE(fixture, "a chunk's header and the trailers are bounded") {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n";
  const std::string much(limits.header_bytes_max + 1, 'a');
  CHECK(status_of(chunked + "1;" + much) == 400);
  CHECK(status_of(chunked + "0\r\nA: " + much) == 400);
}

TEST_CASE_FIXTURE(fixture, "trailers do not become fields") {
  request_reader reader{limits};
  REQUIRE(reader.feed("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
                      "\r\n\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
          == step::complete);
  CHECK(reader.request().count("authorization") == 0);
}

TEST_CASE_FIXTURE(fixture, "a body's memory grows with what has come") {
  request_reader reader{limits};
  REQUIRE(reader.feed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16000000"
                      "\r\n\r\nx")
          == step::incomplete);
  CHECK(reader.request().body().capacity() < 100'000);
}

TEST_CASE_FIXTURE(fixture, "a body's memory is taken off what all have, and "
                           "goes back with the request") {
  body_budget bodies{100'000};
  limits.bodies = &bodies;
  const std::string header = "POST / HTTP/1.1\r\nHost: x\r\n"
                             "Content-Length: 90000\r\n\r\n";
  request_reader one{limits};
  request_reader two{limits};
  REQUIRE(one.feed(header + "x") == step::incomplete);
  REQUIRE(two.feed(header + "x") == step::incomplete);
  CHECK(one.charge_body());
  CHECK(bodies.used() >= 64u << 10);
  CHECK_FALSE(two.charge_body());
  one.drop_request();
  CHECK(bodies.used() == 0);
  CHECK(two.charge_body());
  // It grows beyond what is there.
  REQUIRE(two.feed(std::string(80'000, 'x')) == step::incomplete);
  CHECK_FALSE(two.charge_body());
  two.drop_request();
  CHECK(bodies.used() == 0);
}

TEST_CASE_FIXTURE(fixture, "what is held comes in front of what is read later") {
  request_reader reader{limits};
  REQUIRE(reader.feed("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1")
          == step::complete);
  CHECK(reader.held() == 13);
  CHECK(reader.hold(".1\r\nHost: x\r\n\r\n"));
  CHECK(reader.request().target() == "/a");
  reader.drop_request();
  REQUIRE(reader.feed("") == step::complete);
  CHECK(reader.request().target() == "/b");
  CHECK_FALSE(reader.hold(std::string(limits.header_bytes_max, 'x')));
}

TEST_CASE_FIXTURE(fixture, "who expects a word before the body gets it once") {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                           "Expect: 100-Continue\r\n\r\n";
  request_reader reader{limits};
  CHECK_FALSE(reader.take_expectation());
  REQUIRE(reader.feed(head) == step::incomplete);
  CHECK(reader.take_expectation());
  CHECK_FALSE(reader.take_expectation());
  request_reader begun{limits};
  REQUIRE(begun.feed(head + "a") == step::incomplete);
  CHECK_FALSE(begun.take_expectation());
  request_reader old{limits};
  REQUIRE(old.feed("POST / HTTP/1.0\r\nContent-Length: 2\r\n"
                   "Expect: 100-continue\r\n\r\n")
          == step::incomplete);
  CHECK_FALSE(old.take_expectation());
}
