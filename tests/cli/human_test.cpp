// SPDX-License-Identifier: Apache-2.0
#include "cli/human.hpp"

#include <doctest/doctest.h>

using namespace torpor;

TEST_CASE("an age is told in the unit that suits it, never more than it is") {
  CHECK(human_age(-5) == "0 s"); // A clock that went back.
  CHECK(human_age(59) == "59 s");
  CHECK(human_age(60) == "1 min");
  CHECK(human_age(3599) == "59 min");
  CHECK(human_age(3600) == "1 h");
  CHECK(human_age(47 * 3600) == "47 h");
  CHECK(human_age(14 * 86400 + 1) == "14 d");
}

TEST_CASE("a bar fills with the share and stays within its width") {
  CHECK(human_bar(0, 4) == "[----]");
  CHECK(human_bar(0.5, 4) == "[##--]");
  CHECK(human_bar(1, 4) == "[####]");
  CHECK(human_bar(-1, 4) == "[----]");
  CHECK(human_bar(1.5, 4) == "[####]");
}
