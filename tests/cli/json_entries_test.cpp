// SPDX-License-Identifier: Apache-2.0
#include "cli/json_entries.hpp"

#include <doctest/doctest.h>

using namespace torpor;

namespace {

/// What is wrong with these lines; empty: nothing.
std::string complaint(const std::vector<std::string_view>& lines,
                      std::uint64_t before = 0) {
  const auto done = check_json_entries("s", lines, before);
  if (done)
    return {};
  CHECK(done.error().code == errc::invalid_argument);
  return done.error().context;
}

} // namespace

TEST_SUITE_BEGIN("json_entries");

TEST_CASE("lines of one JSON value each are entries") {
  CHECK(complaint({}) == "");
  CHECK(complaint({"1", " {\"a\":[1,2]}\r", "[]", "[1,2]", "null"}) == "");
}

TEST_CASE("a line that is no JSON value by itself is refused by its number") {
  CHECK(complaint({"1", "{\"a\":1", "\"b\":2}"})
        == "append to 's': line 2 is not one JSON value, as that stream takes "
           "them: '{\"a\":1'");
  for (const auto* const line :
       {"", " ", "1,2", "1 2", "\"b\":2}", "[1],[2]", "]", "1]", "\xff"})
    CHECK(complaint({line}).find("line 1 is not") != std::string::npos);
}

TEST_CASE("lines are counted from those that went before") {
  CHECK(complaint({"1", "x"}, 70'000).find("line 70002 ") != std::string::npos);
}

TEST_CASE("of a long line its beginning is told") {
  const auto said = complaint({std::string(1000, 'x')});
  CHECK(said.ends_with(": '" + std::string(40, 'x') + "...'"));
}

TEST_SUITE_END();
