// SPDX-License-Identifier: Apache-2.0
#include "runtime/quantity.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torpor;

TEST_SUITE_BEGIN("quantity");

TEST_CASE("bytes have binary units and nothing else") {
  CHECK(parse_bytes("0") == 0);
  CHECK(parse_bytes("12B") == 12);
  CHECK(parse_bytes("3KiB") == 3072);
  CHECK(parse_bytes("2 GiB") == 2ull << 30);
  CHECK(parse_bytes("1TiB") == 1ull << 40);
  for (const auto* const each :
       {"", "KiB", "-1", "+1", " 1", "1 ", "1kb", "1K", "1.5MiB", "16777216TiB",
        "18446744073709551616"}) {
    INFO(std::string{each});
    CHECK(!parse_bytes(each));
  }
}

TEST_CASE("spans have units from ms to days and nothing else") {
  CHECK(parse_span("0ms") == 0);
  CHECK(parse_span("250ms") == 250);
  CHECK(parse_span("7s") == 7000);
  CHECK(parse_span("2 min") == 120'000);
  CHECK(parse_span("12h") == 43'200'000);
  CHECK(parse_span("30d") == 2'592'000'000);
  for (const auto* const each : {"", "5", "d", "-1s", "1.5h", "1m", "1 d ",
                                 "99999999999999999999d",
                                 "18446744073709551615d"}) {
    INFO(std::string{each});
    CHECK(!parse_span(each));
  }
}

TEST_SUITE_END();
