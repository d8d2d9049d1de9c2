// SPDX-License-Identifier: Apache-2.0
#include "runtime/zigzag.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>

using namespace torpor;

namespace {

constexpr auto least = std::numeric_limits<std::int64_t>::min();
constexpr auto most = std::numeric_limits<std::int64_t>::max();

} // namespace

TEST_SUITE("zigzag") {
  TEST_CASE("small numbers of either sign are small codes") {
    CHECK(zigzag(0) == 0);
    CHECK(zigzag(-1) == 1);
    CHECK(zigzag(1) == 2);
    CHECK(zigzag(-2) == 3);
    CHECK(zigzag(-64) == 127);
  }

  TEST_CASE("every number comes back") {
    for (const auto value : {least, least + 1, std::int64_t{-1},
                             std::int64_t{0}, std::int64_t{1}, most})
      CHECK(unzigzag(zigzag(value)) == value);
  }

  TEST_CASE("a step leads from any number to any other") {
    for (const auto from : {least, std::int64_t{-5}, std::int64_t{7}, most})
      for (const auto to : {least, std::int64_t{-6}, std::int64_t{7}, most})
        CHECK(step(from, zigzag_step(from, to)) == to);
    CHECK(zigzag_step(1000, 999) == 1);
  }
}
