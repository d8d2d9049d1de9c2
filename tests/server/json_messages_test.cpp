// SPDX-License-Identifier: Apache-2.0
#include "server/json_messages.hpp"

#include "torpor/types.hpp"

#include <doctest/doctest.h>

#include <simdjson.h>

#include <random>
#include <string>

using namespace torpor;

namespace {

using messages = std::vector<std::string_view>;

messages good(std::string_view body) {
  auto found = json_messages(body);
  REQUIRE_MESSAGE(found, body);
  return *found;
}

} // namespace

TEST_CASE("a value that is no array is one message") {
  CHECK(good(R"({"a": [1, 2]})") == messages{R"({"a": [1, 2]})"});
  CHECK(good(" \"text\" \n") == messages{"\"text\""});
  for (const auto* scalar : {"0", "-0.5e+3", "true", "false", "null", "\"\""})
    CHECK(good(scalar) == messages{scalar});
}

TEST_CASE("of an array each element is a message, byte by byte") {
  CHECK(good(R"([{"a" : 1} , "b,]" ,3])") == messages{R"({"a" : 1})",
                                                      R"("b,]")", "3"});
}

TEST_CASE("only one level of an array is opened") {
  CHECK(good("[[1,2],[3]]") == messages{"[1,2]", "[3]"});
  CHECK(good("[[[1,2,3]]]") == messages{"[[1,2,3]]"});
  CHECK(good("[[]]") == messages{"[]"});
}

TEST_CASE("an empty array has no message") {
  CHECK(good("[]").empty());
  CHECK(good(" [ \r\n\t] ").empty());
}

TEST_CASE("numbers that no machine can compute with are kept") {
  CHECK(good("123456789012345678901234567890").size() == 1);
  CHECK(good("[1e400, -1E-400]") == messages{"1e400", "-1E-400"});
}

TEST_CASE("a message by itself is one value") {
  for (const auto* const one : {"1", " [1,2]\r\n", "[]", "{\"a\":1}"})
    CHECK_MESSAGE(is_json_value(one), one);
  for (const auto* const other : {"", " ", "1,2", "1 2", "{\"a\":1", "]", "\xff"})
    CHECK_FALSE_MESSAGE(is_json_value(other), other);
  // As deep as it may be in a body.
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  std::size_t deep = 1;
  while (is_json_value(nested(deep + 1)))
    ++deep;
  CHECK(json_messages("[" + nested(deep) + "]"));
  CHECK_FALSE(json_messages("[" + nested(deep + 1) + "]"));
}

TEST_CASE("what is not JSON is refused") {
  for (const auto* body :
       {"", " ", "{ invalid json }", "{", "[", "[1", "[1,]", "[,1]", "[1 2]",
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1", "1 2", "[1]]",
        "[1]x", "01", "-", "1.", ".5", "1e", "1e+", "+1", "0x1", "tru", "truex",
        "nul", "NaN", "'a'", "\"a", "\"\\x\"", "\"\\u12g4\"", "\"\\", "\"\\u12",
        "\"\t\"", "\"\n\"", "//", "{}{}", "]", "}"})
    CHECK_MESSAGE(!json_messages(body), body);
  CHECK_FALSE(json_messages("\"\xff\""));
  CHECK_FALSE(json_messages("\"\xed\xa0\x80\"")); // A surrogate.
  CHECK_FALSE(json_messages(std::string_view{"\0", 1}));
  CHECK_FALSE(json_messages(std::string_view{"1\0", 2}));
  CHECK_FALSE(json_messages("\xef\xbb\xbf{}"));
}

TEST_CASE("the refusal says at which byte") {
  CHECK(json_messages("[1,x]").error().context.find("byte 3")
        != std::string::npos);
}

TEST_CASE("an array brings as many messages as an append may have entries") {
  std::string body{"["};
  for (std::size_t i = 0; i < limits::append_entries_max; ++i)
    body += "0,";
  CHECK(json_messages(body + "0]").error().code == errc::too_large);
  body.back() = ']';
  CHECK(json_messages(body)->size() == limits::append_entries_max);
}

TEST_CASE("nesting is bounded") {
  CHECK(json_messages(std::string(511, '[') + std::string(511, ']')));
  CHECK_FALSE(json_messages(std::string(513, '[') + std::string(513, ']')));
  CHECK_FALSE(json_messages(std::string(1'000'000, '[')));
  CHECK_FALSE(json_messages(std::string(1'000'000, '{')));
}

TEST_CASE("what is taken for JSON is what simdjson takes for JSON") {
  const std::string seeds[] = {
    R"({"a":[1,2.5e-3,{"b":null}],"c":"\u00e4\n","d":true})",
    R"([ "x" , [ ] , { } , -0 , 1E5 , false ])", "\"\\\\\\\"\\/\""};
  constexpr std::string_view marks = "{}[]:,\"\\ 01-+.eEtrufalsn\n\xc3\xa4";
  std::mt19937 random{7};
  simdjson::dom::parser parser;
  auto valid = 0;
  for (auto i = 0; i < 200'000; ++i) {
    auto text = seeds[random() % std::size(seeds)];
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const auto at = random() % text.size();
      const auto mark = marks[random() % marks.size()];
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 3);
      else if (random() % 2 == 0)
        text.insert(at, 1, mark);
      else
        text[at] = mark;
      if (text.empty())
        text = "1";
    }
    const auto expected = parser.parse(text).error();
    // What cannot be computed with is the one thing on which we differ.
    if (expected == simdjson::NUMBER_ERROR)
      continue;
    CHECK_MESSAGE((expected == simdjson::SUCCESS)
                    == json_messages(text).has_value(),
                  text);
    valid += expected == simdjson::SUCCESS;
  }
  CHECK(valid > 10'000);
}
