// SPDX-License-Identifier: Apache-2.0
#include "server/stream_path.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torpor;

namespace {

std::string refusal(std::string_view path) {
  const auto name = stream_name_of(path);
  REQUIRE_FALSE(name);
  CHECK(name.error().code == errc::invalid_argument);
  return name.error().context;
}

} // namespace

TEST_CASE("what follows the root is the stream's name") {
  CHECK(stream_name_of("/v1/stream/a").value() == "a");
  CHECK(stream_name_of("/v1/stream/acme/orders/1").value() == "acme/orders/1");
  CHECK(stream_name_of("/v1/stream/a//b/").value() == "a//b/");
}

TEST_CASE("escapes in a path are decoded") {
  CHECK(stream_name_of("/v1/stream/a%2Fb%20c").value() == "a/b c");
  CHECK(stream_name_of("/v1/stream/%c3%A4+").value() == "\xc3\xa4+");
  CHECK(stream_name_of("/v1/stream/100%25").value() == "100%");
}

TEST_CASE("paths that name no stream are refused") {
  CHECK(refusal("/v1/other/a").find("/v1/stream/") != std::string::npos);
  CHECK(refusal("/v1/stream").find("/v1/stream/") != std::string::npos);
  CHECK(refusal("/v1/stream/").find("is empty") != std::string::npos);
  for (const auto* path : {"/v1/stream/.", "/v1/stream/..", "/v1/stream/a/../b",
                           "/v1/stream/a/..", "/v1/stream/%2e%2E/a",
                           "/v1/stream/a%2f.%2fb"})
    CHECK_MESSAGE(refusal(path).find("'.' or '..'") != std::string::npos, path);
  for (const auto* path : {"/v1/stream/a%", "/v1/stream/a%4", "/v1/stream/%zz",
                           "/v1/stream/%-1", "/v1/stream/%0x"})
    CHECK_MESSAGE(refusal(path).find("%25") != std::string::npos, path);
}

TEST_CASE("names that no stream can have are refused") {
  CHECK(refusal("/v1/stream/a%00b").find("U+0000") != std::string::npos);
  CHECK(refusal("/v1/stream/a%0A").find("U+000A") != std::string::npos);
  CHECK(refusal("/v1/stream/%ff").find("UTF-8") != std::string::npos);
  CHECK(stream_name_of("/v1/stream/" + std::string(512, 'a')).has_value());
  CHECK(refusal("/v1/stream/" + std::string(513, 'a')).find("512")
        != std::string::npos);
}

TEST_CASE("a dot is only refused as a whole segment") {
  CHECK(stream_name_of("/v1/stream/.a/..b/c.").value() == ".a/..b/c.");
}

TEST_CASE("the path ends before the query") {
  CHECK(path_of("/v1/stream/a?offset=-1") == "/v1/stream/a");
  CHECK(path_of("/v1/stream/a") == "/v1/stream/a");
}

TEST_CASE("the names of subscriptions are reserved") {
  CHECK(reserved_name("__ds"));
  CHECK(reserved_name("__ds/subscriptions/a"));
  CHECK_FALSE(reserved_name("__dsa"));
  CHECK_FALSE(reserved_name("a/__ds"));
}
