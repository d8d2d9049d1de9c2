// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_files.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace torpor;

TEST_SUITE("segment_files") {
  TEST_CASE("names sort like their numbers") {
    CHECK(segment_file_name(7) == "0000000007.segment");
    CHECK(segment_file_name(1'234'567'890) == "1234567890.segment");
  }

  TEST_CASE("a name gives its number back") {
    for (const std::uint64_t number :
         {std::uint64_t{1}, std::uint64_t{9'999'999'999},
          std::uint64_t{10'000'000'000},
          std::numeric_limits<std::uint64_t>::max()})
      CHECK(segment_file_number(segment_file_name(number)) == number);
  }

  TEST_CASE("no other name has a number") {
    for (const auto* name :
         {"", "7.segment", "0000000000.segment", "0000000007.journal",
          "0000000007.segment.tmp", "-000000007.segment", "0000000007",
          "00000000007.segment", "99999999999999999999.segment",
          " 0000000007.segment", "000000000x.segment"}) {
      CAPTURE(name);
      CHECK_FALSE(segment_file_number(name));
    }
  }
}
