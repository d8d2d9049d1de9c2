// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_name.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace torpor;
using namespace std::string_literals;

namespace {

bool good(const std::string& name) {
  const auto checked = check_name(name);
  if (!checked)
    CHECK(checked.error().code == errc::invalid_argument);
  return checked.has_value();
}

/// A code point as UTF-8 spells it, surrogates and giants included.
std::string utf8(std::uint32_t code) {
  const auto byte = [](std::uint32_t bits) {
    return static_cast<char>(static_cast<unsigned char>(bits));
  };
  const auto more = [&](unsigned shift) {
    return byte(0x80 | ((code >> shift) & 0x3f));
  };
  if (code < 0x80)
    return {byte(code)};
  if (code < 0x800)
    return {byte(0xc0 | code >> 6), more(0)};
  if (code < 0x10000)
    return {byte(0xe0 | code >> 12), more(6), more(0)};
  return {byte(0xf0 | code >> 18), more(12), more(6), more(0)};
}

} // namespace

TEST_SUITE("stream_name") {
  TEST_CASE("a name has 1 to 512 bytes") {
    CHECK_FALSE(good(""));
    CHECK(good("a"));
    CHECK(good(std::string(512, 'a')));
    CHECK_FALSE(good(std::string(513, 'a')));
    CHECK_FALSE(good(std::string(1u << 20, 'a')));
  }

  TEST_CASE("a name that looks like a path is a plain name") {
    for (const auto* name : {"../x", "/etc/passwd", "..", ".", "/", "//",
                             "a/../../b", "C:\\x", "~", "a b", "%2e%2e", "*"})
      CHECK(good(name));
  }

  TEST_CASE("every character is taken unless it is a control character") {
    for (std::uint32_t code = 0; code <= 0x10ffff; ++code) {
      if (code >= 0xd800 && code < 0xe000)
        continue;
      const auto control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
      if (check_name(utf8(code)).has_value() == control)
        FAIL("U+", code);
    }
  }

  TEST_CASE("a control character is refused wherever it stands") {
    CHECK_FALSE(good("a\0b"s));
    CHECK_FALSE(good("a\n"));
    CHECK_FALSE(good("\x1b[31m"));
    CHECK_FALSE(good("\x7f"));
    CHECK_FALSE(good("a\xc2\x80"));
    CHECK_FALSE(good("\xc2\x9fz"));
    CHECK(good("\xc2\xa0"));
  }

  TEST_CASE("surrogates and what lies beyond U+10FFFF are refused") {
    for (std::uint32_t code = 0xd800; code < 0xe000; ++code)
      if (check_name(utf8(code)))
        FAIL("surrogate ", code);
    CHECK_FALSE(good(utf8(0x110000)));
    CHECK_FALSE(good(utf8(0x1fffff)));
    CHECK_FALSE(good("\xf8\x88\x80\x80\x80"));
    CHECK_FALSE(good("\xfc\x84\x80\x80\x80\x80"));
    CHECK_FALSE(good("\xff"));
    CHECK_FALSE(good("\xfe"));
  }

  TEST_CASE("overlong forms are refused") {
    CHECK_FALSE(good("\xc0\xaf"));         // '/' in two bytes.
    CHECK_FALSE(good("\xc1\xbf"));
    CHECK_FALSE(good("\xe0\x80\xaf"));     // '/' in three.
    CHECK_FALSE(good("\xe0\x9f\xbf"));     // U+07FF in three.
    CHECK_FALSE(good("\xf0\x80\x80\xaf")); // '/' in four.
    CHECK_FALSE(good("\xf0\x8f\xbf\xbf")); // U+FFFF in four.
  }

  TEST_CASE("cut and stray bytes are refused") {
    for (const auto code : {0xe9u, 0x20acu, 0x1f600u}) {
      const auto whole = utf8(code);
      CHECK(good(whole));
      for (std::size_t cut = 1; cut < whole.size(); ++cut) {
        CHECK_FALSE(good(whole.substr(0, cut)));
        CHECK_FALSE(good(whole.substr(0, cut) + "a"));
        CHECK_FALSE(good(whole.substr(cut)));
      }
    }
  }

  TEST_CASE("a refusal says why and shows the name without its dangers") {
    const auto refused = check_name("a\x1b]0;\xff");
    REQUIRE_FALSE(refused);
    const auto& text = refused.error().context;
    CHECK(text.find("a\\x1b]0;\\xff") != std::string::npos);
    CHECK(text.find("U+001B") != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\xff') == std::string::npos);
  }

  TEST_CASE("a printable name is short, and good whatever came in") {
    CHECK(printable("plain/name") == "plain/name");
    CHECK(printable("\xe2\x82\xac") == "\xe2\x82\xac");
    CHECK(printable("\xc2\x85") == "\\xc2\\x85");
    CHECK(printable("").empty());
    std::mt19937_64 random{5};
    for (int round = 0; round < 5000; ++round) {
      std::string name(random() % 600, ' ');
      for (auto& letter : name)
        letter = static_cast<char>(random());
      const auto shown = printable(name);
      CHECK(shown.size() <= 80);
      CHECK(check_name(shown).has_value() == !name.empty());
    }
  }
}
