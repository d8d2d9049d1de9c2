// SPDX-License-Identifier: Apache-2.0
#include "server/stream_headers.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace torpor;

namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

http_request request(const fields& all, std::string body = {}) {
  http_request made;
  for (const auto& [name, value] : all)
    made.insert(name, value);
  made.body() = std::move(body);
  return made;
}

std::string create_refusal(const fields& all) {
  const auto parsed = parse_create(request(all));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == errc::invalid_argument);
  return parsed.error().context;
}

std::string append_refusal(const fields& all) {
  const auto parsed = parse_append(request(all, "x"));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == errc::invalid_argument);
  return parsed.error().context;
}

} // namespace

TEST_CASE("a stream is closed by true and by nothing else") {
  for (const auto* value : {"true", "TRUE", "True"})
    CHECK(says_closed(request({{"stream-closed", value}})));
  for (const auto* value : {"false", "yes", "1", ""})
    CHECK_FALSE(says_closed(request({{"Stream-Closed", value}})));
  CHECK_FALSE(says_closed(request({})));
}

TEST_CASE("a TTL is a number in plain decimal notation") {
  const auto ttl = [](const char* text) {
    return parse_create(request({{"Stream-TTL", text}}));
  };
  CHECK(ttl("3600").value().ttl_ms == 3'600'000);
  CHECK(ttl("4398046511").value().ttl_ms == 4'398'046'511'000);
  for (const auto* text : {"", "abc", "-1", "00060", "00", "+60", "60.5", "1e3",
                           " 60x", "4398046512", "99999999999999999999"})
    CHECK_MESSAGE(!ttl(text), text);
}

TEST_CASE("a TTL of 0 is a TTL") {
  CHECK(parse_create(request({{"Stream-TTL", "0"}})).value().ttl_ms == 1);
}

TEST_CASE("an expiry is a time with its offset") {
  const auto at = [](const char* text) {
    return parse_create(request({{"Stream-Expires-At", text}}));
  };
  CHECK(at("2030-01-01T00:00:00Z").value().expires_ms == 1'893'456'000'000);
  CHECK(at("2030-01-01T01:00:00.5+01:00").value().expires_ms
        == 1'893'456'000'500);
  CHECK(at("1970-01-01T00:00:00Z").value().expires_ms == 1);
  for (const auto* text : {"", "not-a-timestamp", "2030-01-01", "1893456000"})
    CHECK_MESSAGE(!at(text), text);
  CHECK(create_refusal({{"Stream-TTL", "1"},
                        {"Stream-Expires-At", "2030-01-01T00:00:00Z"}})
          .find("exclude")
        != std::string::npos);
}

TEST_CASE("a fork has a source and may have a place") {
  const auto fork = parse_create(
                      request({{"Stream-Forked-From", "/v1/stream/a%20b"},
                               {"Stream-Fork-Offset",
                                "0000000000000000_0000000000000007"},
                               {"Stream-Fork-Sub-Offset", "3"}}))
                      .value()
                      .fork.value();
  CHECK(fork.source == "a b");
  CHECK(fork.at == sequence{7});
  CHECK(fork.sub == 3);
  CHECK_FALSE(parse_create(request({{"Stream-Forked-From", "/v1/stream/a"}}))
                .value()
                .fork->at);
}

TEST_CASE("the place of a fork means nothing without its source") {
  CHECK(create_refusal({{"Stream-Fork-Sub-Offset", "0"}})
          .find("Stream-Forked-From")
        != std::string::npos);
  CHECK(create_refusal({{"Stream-Fork-Offset",
                         "0000000000000000_0000000000000000"}})
          .find("Stream-Forked-From")
        != std::string::npos);
}

TEST_CASE("forks of what is no stream and at what is no place are refused") {
  for (const auto* path : {"", "/other", "a", "/v1/stream/", "/v1/stream/.."})
    CHECK_FALSE(parse_create(request({{"Stream-Forked-From", path}})));
  for (const auto* sub : {"-1", "abc", "1.5", "05", "+1", ""})
    CHECK_FALSE(parse_create(request({{"Stream-Forked-From", "/v1/stream/a"},
                                      {"Stream-Fork-Sub-Offset", sub}})));
  CHECK(create_refusal({{"Stream-Forked-From", "/v1/stream/a"},
                        {"Stream-Fork-Offset", "x"}})
          .find("Stream-Fork-Offset")
        != std::string::npos);
}

TEST_CASE("a producer says three things or nothing") {
  const fields all{{"Producer-Id", "p"},
                   {"Producer-Epoch", "2"},
                   {"Producer-Seq", "9007199254740991"}};
  const auto producer = parse_append(request(all)).value().producer.value();
  CHECK(producer.id == "p");
  CHECK(producer.epoch == 2);
  CHECK(producer.number == 9'007'199'254'740'991);
  CHECK_FALSE(parse_append(request({})).value().producer);
  for (std::size_t left_out = 0; left_out < all.size(); ++left_out) {
    auto some = all;
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(left_out));
    CHECK(append_refusal(some).find("together") != std::string::npos);
  }
}

TEST_CASE("a producer's numbers are whole and small enough for JavaScript") {
  for (const auto* text : {"", "1abc", "-1", "1e3", "+1", " ", "0.5",
                           "9007199254740992", "99999999999999999999"}) {
    CHECK(append_refusal({{"Producer-Id", "p"},
                          {"Producer-Epoch", text},
                          {"Producer-Seq", "0"}})
            .find("Producer-Epoch")
          != std::string::npos);
    CHECK(append_refusal({{"Producer-Id", "p"},
                          {"Producer-Epoch", "0"},
                          {"Producer-Seq", text}})
            .find("Producer-Seq")
          != std::string::npos);
  }
}

TEST_CASE("ids and orders have a length") {
  const auto with = [](const char* name, std::size_t size) {
    fields all{{"Producer-Epoch", "0"}, {"Producer-Seq", "0"}};
    if (std::string{name} == "Stream-Seq")
      all = {};
    all.emplace_back(name, std::string(size, 'a'));
    return parse_append(request(all)).has_value();
  };
  for (const auto* name : {"Producer-Id", "Stream-Seq"}) {
    CHECK(with(name, 1));
    CHECK(with(name, 256));
    CHECK_FALSE(with(name, 0));
    CHECK_FALSE(with(name, 257));
  }
}

TEST_CASE("a field that is there twice is refused") {
  CHECK(append_refusal({{"Stream-Seq", "1"}, {"Stream-Seq", "2"}})
          .find("Stream-Seq is there twice")
        != std::string::npos);
  CHECK(create_refusal({{"Stream-TTL", "1"}, {"stream-ttl", "1"}})
          .find("twice")
        != std::string::npos);
}

TEST_CASE("without a body the content type does not matter") {
  CHECK(parse_append(request({{"Content-Type", "nonsense"}})).value().type
        == "");
  CHECK(append_refusal({{"Content-Type", "nonsense"}}).find("nonsense")
        != std::string::npos);
  CHECK(parse_append(request({{"Content-Type", "Text/Plain; a=b"}}, "x"))
          .value()
          .type
        == "text/plain");
}

TEST_CASE("an append may be expected at a place and wait for nothing") {
  const auto how = parse_append(
                     request({{"Torpor-Expected-Offset",
                               "0000000000000000_0000000000000004"},
                              {"Torpor-Ack", "buffered"}}))
                     .value();
  CHECK(how.expected_next == sequence{4});
  CHECK(how.ack == ack::buffered);
  CHECK(parse_append(request({{"Torpor-Ack", "durable"}})).value().ack
        == ack::durable);
  CHECK_FALSE(parse_append(request({})).value().ack);
  CHECK(append_refusal({{"Torpor-Ack", "maybe"}}).find("Torpor-Ack")
        != std::string::npos);
}
