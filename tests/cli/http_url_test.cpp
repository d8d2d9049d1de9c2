// SPDX-License-Identifier: Apache-2.0
#include "cli/http_url.hpp"

#include "cli/stream_offset_text.hpp"

#include <doctest/doctest.h>

using namespace torpor;

TEST_SUITE_BEGIN("http_url");

TEST_CASE("a URL names host, port and what is in front of all targets") {
  const auto url = parse_http_url("http://example.org:4437/door/");
  REQUIRE(url);
  CHECK_FALSE(url->tls);
  CHECK(url->host == "example.org");
  CHECK(url->port == "4437");
  CHECK(url->authority() == "example.org:4437");
  CHECK(url->stream("a/b") == "/door/v1/stream/a/b");
}

TEST_CASE("ports are those of the scheme where none is given") {
  CHECK(parse_http_url("http://h")->port == "80");
  CHECK(parse_http_url("https://h/")->port == "443");
  CHECK(parse_http_url("https://h")->tls);
  CHECK(parse_http_url("https://h/")->base.empty());
}

TEST_CASE("an IPv6 address stands in brackets, in the URL and in Host") {
  const auto url = parse_http_url("http://[::1]:80");
  REQUIRE(url);
  CHECK(url->host == "::1");
  CHECK(url->authority() == "[::1]:80");
  CHECK(parse_http_url("http://[::1]")->port == "80");
}

TEST_CASE("a Unix socket needs no host") {
  const auto url = parse_http_url("unix:store/torpor.sock");
  REQUIRE(url);
  CHECK(url->socket == "store/torpor.sock");
  CHECK(url->authority() == "localhost");
  CHECK(url->stream("s") == "/v1/stream/s");
}

TEST_CASE("what is no URL is refused by name") {
  for (const auto* text :
       {"", "localhost", "ftp://h", "http://", "http://:1", "http://h:0",
        "http://h:65536", "http://h:x", "http://h:", "http://[::1",
        "http://[::1]x", "http://[]:1", "http://h?x=1", "http://h/#f", "unix:",
        "http://h\r\n", "http://a b", "http://a%41", "http://[a]",
        "http://[%25]", "http://a]", "http://[[::1]"}) {
    CAPTURE(text);
    const auto url = parse_http_url(text);
    REQUIRE_FALSE(url);
    CHECK(url.error().code == errc::invalid_argument);
  }
}

TEST_CASE("a password in a URL is refused and not repeated") {
  const auto url = parse_http_url("http://me:secret@h");
  REQUIRE_FALSE(url);
  CHECK(url.error().context.find("secret") == std::string::npos);
  CHECK(url.error().context.find("TORPOR_TOKEN") != std::string::npos);
}

TEST_CASE("names are escaped but for their slashes") {
  CHECK(percent_encoded("a b/\xc3\xa9?#%") == "a%20b/%C3%A9%3F%23%25");
  CHECK(percent_encoded("a/b", false) == "a%2Fb");
  CHECK(percent_encoded("AZaz09-._~") == "AZaz09-._~");
}

TEST_CASE("an offset is read as it was written") {
  for (const auto number : {0ull, 42ull, 9'999'999'999'999'999ull})
    CHECK(read_offset(offset_text(sequence{number})) == sequence{number});
  CHECK(offset_text(sequence{42}) == "0000000000000000_0000000000000042");
}

TEST_CASE("offsets of other servers are not taken for ours") {
  for (const auto* text : {"", "-1", "42", "0000000000000001_0000000000000042",
                           "0000000000000000_", "0000000000000000_4x"})
    CHECK_FALSE(read_offset(text));
}

TEST_SUITE_END();
