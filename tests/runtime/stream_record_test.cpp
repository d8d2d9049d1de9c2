// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_record.hpp"

#include "runtime/wire.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace torpor;

namespace {

constexpr auto number_max = std::numeric_limits<std::uint64_t>::max();

std::vector<std::byte> encoded(const stream_record& record) {
  std::vector<std::byte> bytes;
  encode(record, bytes);
  return bytes;
}

/// As most streams are: 20 bytes of name, a few thousand entries.
stream_record typical() {
  stream_record record;
  record.name = "tenant-0042/log-1234";
  record.first = sequence{120};
  record.next = sequence{5120};
  record.last_ms = 1'785'000'000'000;
  return record;
}

producer_state producer(std::string id) {
  producer_state state;
  state.id = std::move(id);
  state.epoch = 3;
  state.next = 12;
  for (std::uint64_t number = 7; number < 12; ++number)
    state.answers[number % producer_state::answers_max] = {
      number, sequence{number * 10}, 10};
  return state;
}

stream_record full() {
  auto record = typical();
  record.closed = true;
  record.kept_bytes = 5'000'000;
  record.settings = std::make_unique<stream_settings>();
  record.settings->sync = {3'600'000, 16u << 20, 1'000};
  record.settings->keep = {1, 2, retention_policy::unlimited, 3, 4};
  record.settings->touched_ms = 5;
  record.settings->review_ms = 1'785'000'000'000;
  record.settings->content_type = "application/json";
  record.settings->order = std::string(256, 'o');
  record.settings->origin = {stream_id{256}, sequence{1000}, 3, 4};
  record.settings->pins = {{1, "fork"}, {~0ull, std::string(512, 'f')}};
  record.settings->pins_made = ~0ull;
  record.settings->buried = true;
  record.settings->runs = {{sequence{1000}, 7, 9, 1 << 20},
                           {sequence{2000}, 1'785'000'000'000, 8, 3}};
  record.producers = std::make_unique<producer_table>();
  record.producers->push_back(producer("importer"));
  record.producers->push_back(producer(std::string(256, 'p')));
  return record;
}

void check_same(const stream_record& left, const stream_record& right) {
  CHECK(left.name == right.name);
  CHECK(left.first == right.first);
  CHECK(left.next == right.next);
  CHECK(left.last_ms == right.last_ms);
  REQUIRE(bool(left.settings) == bool(right.settings));
  if (left.settings)
    CHECK(*left.settings == *right.settings);
  CHECK(bool{left.closed} == bool{right.closed});
  CHECK(std::uint64_t{left.kept_bytes} == std::uint64_t{right.kept_bytes});
  REQUIRE(bool(left.producers) == bool(right.producers));
  if (left.producers)
    CHECK(*left.producers == *right.producers);
}

void check_round_trip(const stream_record& record) {
  const auto back = decode_record(encoded(record));
  REQUIRE(back);
  check_same(*back, record);
}

void check_corrupt(bytes_view bytes) {
  const auto record = decode_record(bytes);
  REQUIRE_FALSE(record);
  CHECK(record.error().code == errc::corrupt);
}

/// A record as a damaged or hostile file may hold it.
class raw_record {
public:
  raw_record() : out_{bytes_.data()} {}
  wire_writer* operator->() { return &out_; }
  operator bytes_view() const {
    return {bytes_.data(), static_cast<std::size_t>(out_.at() - bytes_.data())};
  }

private:
  std::vector<std::byte> bytes_ = std::vector<std::byte>(1024);
  wire_writer out_;
};

/// Its version, name and flags.
raw_record raw_start(std::uint8_t flags) {
  raw_record record;
  record->u8(1);
  record->text("a");
  record->u8(flags);
  return record;
}

} // namespace

TEST_CASE("the time of its next review is found in a record") {
  CHECK(review_in_record(encoded(typical())) == 0);
  CHECK(review_in_record(encoded(full())) == 1'785'000'000'000);
  auto bytes = encoded(full());
  bytes.pop_back();
  CHECK(review_in_record(bytes) == 0);
}

TEST_CASE("when a stream was last read is not stored") {
  auto record = full();
  record.settings->seen_ms = 99;
  const auto back = decode_record(encoded(record));
  REQUIRE(back);
  CHECK(back->settings->seen_ms == 0);
}

TEST_CASE("a record comes back as it was") {
  check_round_trip(typical());
  check_round_trip(full());
  stream_record smallest;
  smallest.name = "a";
  check_round_trip(smallest);
}

TEST_CASE("the largest values come back as they were") {
  auto record = full();
  record.name = std::string(limits::name_bytes_max, '\xf4');
  record.next = sequence{number_max};
  auto& producer = record.producers->front();
  producer.epoch = number_max;
  producer.next = number_max;
  producer.answers[0] = {0, sequence{number_max},
                         std::numeric_limits<std::uint32_t>::max()};
  for (const auto first : {std::uint64_t{0}, number_max})
    for (const auto last_ms :
         {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
          std::int64_t{0}, std::numeric_limits<std::int64_t>::max()}) {
      record.first = sequence{first};
      record.last_ms = last_ms;
      check_round_trip(record);
    }
}

TEST_CASE("a typical record takes at most 36 bytes") {
  CHECK(encoded(typical()).size() <= 36);
}

TEST_CASE("an empty table of producers takes no space") {
  auto record = typical();
  record.producers = std::make_unique<producer_table>();
  CHECK(encoded(record) == encoded(typical()));
}

TEST_CASE("a record is appended to what is there") {
  std::vector<std::byte> bytes(3, std::byte{7});
  encode(typical(), bytes);
  CHECK(bytes[2] == std::byte{7});
  CHECK(decode_record(bytes_view{bytes}.subspan(3)));
}

TEST_CASE("the name is found without decoding the rest") {
  CHECK(name_in_record(encoded(full())) == full().name);
  CHECK(name_in_record({}).empty());
}

TEST_CASE("a record that was cut anywhere or goes on is corrupt") {
  for (const auto& record : {encoded(typical()), encoded(full())})
    for (std::size_t bytes = 0; bytes < record.size(); ++bytes)
      check_corrupt(bytes_view{record}.first(bytes));
  auto longer = encoded(full());
  longer.push_back(std::byte{0});
  check_corrupt(longer);
}

TEST_CASE("a record of another version is corrupt") {
  auto bytes = encoded(typical());
  bytes[0] = std::byte{2};
  check_corrupt(bytes);
}

TEST_CASE("flags without a meaning are corrupt") {
  auto record = raw_start(32);
  record->varint(0);
  record->varint(0);
  record->varint(0);
  check_corrupt(record);
}

TEST_CASE("a record that was written before bytes were counted has none") {
  auto record = raw_start(0);
  for (int i = 0; i < 3; ++i)
    record->varint(1);
  const auto back = decode_record(record);
  REQUIRE(back);
  CHECK(std::uint64_t{back->kept_bytes} == 0);
}

TEST_CASE("more bytes than a record can count are corrupt") {
  for (const auto bytes : {kept_bytes_max, kept_bytes_max + 1}) {
    auto record = raw_start(16);
    for (int i = 0; i < 3; ++i)
      record->varint(1);
    record->varint(bytes);
    CHECK(decode_record(record).has_value() == (bytes == kept_bytes_max));
  }
}

TEST_CASE("sequences that overflow are corrupt") {
  auto record = raw_start(0);
  record->varint(2);
  record->varint(number_max - 1);
  record->varint(0);
  check_corrupt(record);
}

TEST_CASE("a name that is empty or too long is corrupt") {
  for (const std::size_t size : {std::size_t{0}, limits::name_bytes_max + 1}) {
    raw_record record;
    record->u8(1);
    record->text(std::string(size, 'n'));
    record->u8(0);
    record->varint(0);
    record->varint(0);
    record->varint(0);
    check_corrupt(record);
  }
}

TEST_CASE("a policy beyond 32 bits is corrupt") {
  auto record = raw_start(2);
  record->varint(0);
  record->varint(0);
  record->varint(0);
  record->varint(std::uint64_t{1} << 32);
  record->varint(0);
  record->varint(0);
  check_corrupt(record);
}

TEST_CASE("a damaged count of producers takes no memory") {
  auto record = raw_start(4);
  record->varint(0);
  record->varint(0);
  record->varint(0);
  record->varint(number_max);
  record->text("importer");
  check_corrupt(record);
}

TEST_CASE("no damaged byte makes decoding misbehave") {
  std::mt19937 random{1};
  const auto good = encoded(full());
  for (int run = 0; run < 20'000; ++run) {
    auto bytes = good;
    for (int hit = 0; hit < 3; ++hit)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    const auto record = decode_record(bytes);
    if (record) // What was accepted is a record: it can be written again.
      check_round_trip(*record);
    else
      CHECK(record.error().code == errc::corrupt);
  }
}
