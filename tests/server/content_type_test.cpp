// SPDX-License-Identifier: Apache-2.0
#include "server/content_type.hpp"

#include <doctest/doctest.h>

using namespace torpor;

TEST_CASE("content types differ neither by case nor by parameters") {
  for (const auto* given : {"application/json", "Application/JSON",
                            "application/json; charset=utf-8",
                            "  application/json\t;q=\"a;b\""})
    CHECK(media_type(given).value() == "application/json");
  CHECK(media_type("application/vnd.api+json").value()
        == "application/vnd.api+json");
}

TEST_CASE("what is no content type is refused") {
  for (const auto* given : {"", ";", "text", "text/", "/plain", "text/plain/x",
                            "te xt/plain", "text/pl\x01in", "text/\xc3\xa4"})
    CHECK_MESSAGE(!media_type(given), given);
  CHECK(media_type("a/" + std::string(254, 'b')));
  CHECK_FALSE(media_type("a/" + std::string(255, 'b')));
}

TEST_CASE("only JSON itself has messages, only text needs no base64") {
  CHECK(kind_of("application/json") == stream_kind::json);
  CHECK(kind_of("application/vnd.api+json") == stream_kind::bytes);
  CHECK(kind_of("text/plain") == stream_kind::text);
  CHECK(kind_of("application/octet-stream") == stream_kind::bytes);
  CHECK(kind_of("") == stream_kind::bytes);
}
