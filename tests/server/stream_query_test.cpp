// SPDX-License-Identifier: Apache-2.0
#include "server/stream_query.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torpor;

namespace {

std::string refusal(const std::string& query) {
  const auto parsed = parse_query("/v1/stream/a?" + query);
  REQUIRE_MESSAGE(!parsed, query);
  CHECK(parsed.error().code == errc::invalid_argument);
  return parsed.error().context;
}

stream_query good(const std::string& query) {
  const auto parsed = parse_query("/v1/stream/a?" + query);
  REQUIRE_MESSAGE(parsed, parsed.error().context);
  return *parsed;
}

} // namespace

TEST_CASE("offsets sort as texts in the order of their entries") {
  CHECK(offset_text(sequence{}) == "0000000000000000_0000000000000000");
  CHECK(offset_text(sequence{9}) < offset_text(sequence{10}));
  CHECK(offset_text(sequence{99'999}) < offset_text(sequence{1'000'000'000}));
}

TEST_CASE("an offset that was given is understood") {
  for (const std::uint64_t at : {0ull, 1ull, 1'234ull, 9'999'999'999'999'999ull})
    CHECK(parse_offset(offset_text(sequence{at})).value()
          == stream_offset{stream_offset::place::at, sequence{at}});
  CHECK(parse_offset("-1").value().where == stream_offset::place::start);
  CHECK(parse_offset("now").value().where == stream_offset::place::now);
}

TEST_CASE("what is no offset is refused") {
  for (const auto* text :
       {"", "0", "-2", "NOW", "0000000000000000", "0000000000000000_",
        "0000000000000000_000000000000000", "000000000000000_00000000000000000",
        "0000000000000000_00000000000000000", "0000000000000000-0000000000000000",
        "0000000000000000_000000000000000x", "0000000000000000_-000000000000001",
        "+000000000000000_0000000000000001", "0000000000000000_ 000000000000001",
        "9999999999999999_9999999999999999", "0000000000000001_0000000000000000"})
    CHECK_MESSAGE(!parse_offset(text), text);
}

TEST_CASE("without a query a stream is read from its start") {
  const auto query = parse_query("/v1/stream/a").value();
  CHECK(query.offset == stream_offset{});
  CHECK(query.live == live_mode::none);
  CHECK_FALSE(query.cursor);
}

TEST_CASE("a query says offset, mode and cursor in any order") {
  const auto query = good(
    "cursor=12&live=sse&offset=0000000000000000_0000000000000007");
  CHECK(query.offset.at == sequence{7});
  CHECK(query.live == live_mode::sse);
  CHECK(query.cursor == 12);
  CHECK(good("offset=%2d1&live=long-poll").live == live_mode::long_poll);
}

TEST_CASE("parameters that nobody knows are ignored") {
  CHECK(good("foo=bar&&baz&=&offset=now").offset.where
        == stream_offset::place::now);
}

TEST_CASE("a cursor that was never given is ignored") {
  for (const auto* text : {"abc", "-1", "", "1x", "99999999999999999999",
                           "18446744073709551615"})
    CHECK_MESSAGE(!good("cursor=" + std::string{text}).cursor, text);
}

TEST_CASE("queries that mean nothing are refused, and say why") {
  CHECK(refusal("offset=").find("not an offset") != std::string::npos);
  CHECK(refusal("offset").find("not an offset") != std::string::npos);
  CHECK(refusal("offset=0,1").find("not an offset") != std::string::npos);
  CHECK(refusal("offset=0%201").find("not an offset") != std::string::npos);
  CHECK(refusal("offset=now&offset=now").find("twice") != std::string::npos);
  CHECK(refusal("offset=%zz").find("hexadecimal") != std::string::npos);
  CHECK(refusal("offset=-1&live=poll").find("long-poll or sse")
        != std::string::npos);
  CHECK(refusal("live=sse").find("needs an offset") != std::string::npos);
  CHECK(refusal("live=long-poll").find("needs an offset") != std::string::npos);
}
