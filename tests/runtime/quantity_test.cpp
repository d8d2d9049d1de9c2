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

TEST_CASE("times are those of RFC 3339 and nothing else") {
  CHECK(parse_time("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_time("2026-11-23T12:34:56Z") == 1'795'437'296'000);
  CHECK(parse_time("2026-11-23t12:34:56.5z") == 1'795'437'296'500);
  CHECK(parse_time("2026-11-23T12:34:56.123456789Z") == 1'795'437'296'123);
  CHECK(parse_time("2026-11-23T13:34:56+01:00") == 1'795'437'296'000);
  CHECK(parse_time("2026-11-23T07:04:56-05:30") == 1'795'437'296'000);
  CHECK(parse_time("2024-02-29T00:00:00Z"));
  for (const auto* const each :
       {"", "2026-11-23", "2026-11-23T12:34:56", "2026-11-23T12:34Z",
        "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-11-23T24:00:00Z", "2026-11-23T12:60:00Z", "2026-11-23T12:34:61Z",
        "2026-11-23T12:34:56.Z", "2026-11-23T12:34:56+1:00",
        "2026-11-23T12:34:56+24:00", "2026-11-23T12:34:56Z ",
        "1969-12-31T23:59:59Z", "+026-11-23T12:34:56Z", "tomorrow"}) {
    INFO(std::string{each});
    CHECK(!parse_time(each));
  }
}

TEST_SUITE_END();
