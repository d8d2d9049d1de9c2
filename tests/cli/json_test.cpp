// SPDX-License-Identifier: Apache-2.0
#include "cli/json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace torpor;
using namespace std::string_view_literals;

TEST_CASE("exactly the texts of RFC 3629 are UTF-8") {
  for (const auto text : {""sv, "a\0b"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv,
                          "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv,
                          "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv}) {
    INFO(base64(text));
    CHECK(is_utf8(text));
  }
  for (const auto text :
       {"\x80"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x41"sv,
        "\xe0\x9f\xbf"sv, "\xe1\x80"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv,
        "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "a\xffz"sv}) {
    INFO(base64(text));
    CHECK(!is_utf8(text));
  }
}

TEST_CASE("a string is escaped where JSON demands it") {
  CHECK(json_string("plain \xc3\xa4 \x7f") == "\"plain \xc3\xa4 \x7f\"");
  CHECK(json_string("\"\\\b\f\n\r\t\0\x1f"sv)
        == R"("\"\\\u0008\u000c\n\r\t\u0000\u001f")");
  CHECK(json_string("a\xff\xc3z") == "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}

TEST_CASE("base64 is that of RFC 4648") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xfb\xff\0"sv) == "+/8A");
}

TEST_CASE("bytes that are no text stand under a key that says so") {
  CHECK(json_object{}.text("payload", "a").str() == R"({"payload":"a"})");
  CHECK(json_object{}.text("payload", "\xff").str()
        == R"({"payload_base64":"/w=="})");
}

TEST_CASE("objects and arrays separate what is in them") {
  json_array list;
  CHECK(list.str() == "[]");
  list.add("1");
  list.add("2");
  CHECK(
    json_object{}
      .number("most", std::uint64_t{18446744073709551615u})
      .number("least", std::int64_t{-1})
      .flag("ok", true)
      .raw("list", list.str())
      .str()
    == R"({"most":18446744073709551615,"least":-1,"ok":true,"list":[1,2]})");
  CHECK(json_object{}.str() == "{}");
}
