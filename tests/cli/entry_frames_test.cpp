// SPDX-License-Identifier: Apache-2.0
#include "cli/entry_frames.hpp"

#include <doctest/doctest.h>

using namespace torpor;
using namespace std::string_literals;

TEST_SUITE_BEGIN("entry_frames");

TEST_CASE("payloads come back one by one, empty ones and zeros included") {
  const std::string zeros("a\0b", 3);
  const std::vector<std::string_view> payloads{"one", "", zeros};
  const auto body = to_entry_frames(payloads);
  const auto entries = read_entry_frames(as_bytes(body));
  REQUIRE(entries);
  REQUIRE(entries->size() == payloads.size());
  for (std::size_t i = 0; i < payloads.size(); ++i)
    CHECK(as_text((*entries)[i].payload) == payloads[i]);
}

TEST_CASE("a frame is sizes, time, properties and payload, little-endian") {
  const auto body = "\x02\0\0\0\x03\0\0\0\x01\x02\0\0\0\0\0\0abcxy"s;
  const auto entries = read_entry_frames(as_bytes(body));
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  const auto& entry = entries->front();
  CHECK(entry.time_ms == 0x201);
  CHECK(as_text(entry.encoded) == "abc");
  CHECK(as_text(entry.payload) == "xy");
  CHECK(to_entry_frames({"xy"})
        == "\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0xy"s);
}

TEST_CASE("a body that ends inside of an entry is damage, not an end") {
  const auto body = to_entry_frames({"first", "second"});
  const auto first = to_entry_frames({"first"}).size();
  for (std::size_t bytes = 1; bytes < body.size(); ++bytes) {
    CAPTURE(bytes);
    const auto entries = read_entry_frames(
      as_bytes(std::string_view{body}.substr(0, bytes)));
    CHECK(entries.has_value() == (bytes == first));
  }
}

TEST_CASE("sizes that claim more than there is are refused") {
  const auto huge = "\xff\xff\xff\xff\xff\xff\xff\xff"s + std::string(8, '\0');
  CHECK_FALSE(read_entry_frames(as_bytes(huge)));
}

TEST_SUITE_END();
