// SPDX-License-Identifier: Apache-2.0
#include "runtime/block.hpp"
#include "runtime/wire.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <functional>
#include <string>
#include <vector>

using namespace torpor;

namespace {

using dice = std::mt19937_64;

/// An entry as a test gives it and wants it back.
struct told_entry {
  std::string payload;
  std::vector<property> properties;
  std::int64_t time_ms = 0;
};

struct told_stamp {
  std::string id;
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;
  std::uint64_t first = 0;
  std::uint32_t count = 0;
};

/// All of a block in plain words.
struct told_block {
  stream_id stream{};
  sequence first{};
  std::vector<told_entry> entries;
  std::vector<told_stamp> stamps;
  std::string name;
  bool closes = false;
  bool removes = false;
  std::optional<sync_policy> policy;
  std::optional<retention_policy> retention;
  std::optional<std::int64_t> touched_ms;
  std::string content_type;
  fork_origin origin;
  std::string order;
  std::vector<std::pair<std::uint64_t, std::string>> pins;
  bool buries = false;
};

std::string random_text(dice& random, std::size_t most) {
  std::string text(random() % (most + 1), ' ');
  for (auto& letter : text)
    letter = static_cast<char>(random());
  return text;
}

/// A number of a random size.
std::uint64_t random_number(dice& random, unsigned bits_max = 64) {
  return random() >> (64 - bits_max) >> (random() % bits_max);
}

told_block random_block(dice& random) {
  told_block told;
  told.stream = stream_id{random_number(random)};
  told.first = sequence{random_number(random, 62)};
  auto time = static_cast<std::int64_t>(random_number(random, 42));
  const auto count = random() % 3 == 0 ? 0 : random() % 40;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto& entry = told.entries.emplace_back();
    entry.payload = random_text(random, random() % 20 == 0 ? 5000 : 100);
    for (auto left = random() % 4 == 0 ? random() % 5 : 0; left > 0; --left)
      entry.properties.emplace_back(random_text(random, 20),
                                    random_text(random, 200));
    entry.time_ms = time += static_cast<std::int64_t>(random() % 3 * 7);
    if (random() % 8 == 0) {
      auto& stamp = told.stamps.emplace_back();
      stamp.id = random_text(random, 255) + "p";
      stamp.epoch = random_number(random);
      stamp.number = random_number(random);
      stamp.count = static_cast<std::uint32_t>(1 + random() % (i + 1));
      stamp.first = raw(told.first) + i + 1 - stamp.count;
    }
  }
  if (random() % 4 == 0)
    told.name = random_text(random, 511) + "n";
  if (random() % 8 == 0)
    told.policy = sync_policy{static_cast<std::uint32_t>(random()),
                              static_cast<std::uint32_t>(random()),
                              static_cast<std::uint32_t>(random())};
  if (random() % 8 == 0)
    told.retention = retention_policy{random(), random(), random(), random(),
                                      static_cast<std::int64_t>(random())};
  if (random() % 8 == 0)
    told.touched_ms = static_cast<std::int64_t>(random() >> 1);
  told.closes = random() % 8 == 0;
  told.removes = random() % 8 == 0;
  if (!told.name.empty() && random() % 2 == 0)
    told.content_type = random_text(random, 255) + "t";
  if (!told.name.empty() && random() % 4 == 0)
    told.origin = {stream_id{random_number(random) | 1}, told.first,
                   random_number(random), random_number(random)};
  if (random() % 8 == 0)
    told.order = random_text(random, 255) + "o";
  for (auto left = random() % 8 == 0 ? random() % 40 : 0; left > 0; --left)
    told.pins.emplace_back(random_number(random), random_text(random, 512));
  told.buries = random() % 8 == 0;
  return told;
}

void build(block_builder& builder, const told_block& told) {
  builder.start(told.stream, told.first);
  auto stamp = told.stamps.begin();
  auto next = raw(told.first);
  for (const auto& entry : told.entries) {
    builder.add(as_bytes(entry.payload), encode_properties(entry.properties),
                entry.time_ms);
    ++next;
    for (; stamp != told.stamps.end() && stamp->first + stamp->count == next;
         ++stamp)
      builder.stamp(stamp->id, stamp->epoch, stamp->number, stamp->count);
  }
  if (!told.name.empty())
    builder.create(told.name, told.content_type, told.origin);
  if (told.closes)
    builder.close();
  if (told.removes)
    builder.remove();
  if (told.policy)
    builder.policy(*told.policy);
  if (told.retention)
    builder.policy(*told.retention);
  if (told.touched_ms)
    builder.touch(*told.touched_ms);
  builder.order(told.order);
  for (const auto& [number, fork] : told.pins)
    builder.pin(number, fork);
  if (told.buries)
    builder.bury();
}

/// All that a summary says as well.
void check_head(const block_view& view, const told_block& told) {
  CHECK(view.stream == told.stream);
  CHECK(view.first == told.first);
  REQUIRE(view.count == told.entries.size());
  if (!told.entries.empty()) {
    CHECK(view.first_ms == told.entries.front().time_ms);
    CHECK(view.last_ms == told.entries.back().time_ms);
  }
  CHECK(view.creates == !told.name.empty());
  CHECK(view.name == told.name);
  CHECK(view.closes == told.closes);
  CHECK(view.removes == told.removes);
  CHECK(view.policy == told.policy);
  CHECK(view.retention == told.retention);
  CHECK(view.touched_ms == told.touched_ms);
  CHECK(view.content_type == told.content_type);
  CHECK(view.origin == told.origin);
  CHECK(view.order == told.order);
  CHECK(view.buries == told.buries);
  REQUIRE(view.pins.size() == told.pins.size());
  for (std::size_t i = 0; i < told.pins.size(); ++i) {
    CHECK(view.pins[i].number == told.pins[i].first);
    CHECK(view.pins[i].name == told.pins[i].second);
  }
  REQUIRE(view.stamps.size() == told.stamps.size());
  for (std::size_t i = 0; i < told.stamps.size(); ++i) {
    CHECK(view.stamps[i].id == told.stamps[i].id);
    CHECK(view.stamps[i].epoch == told.stamps[i].epoch);
    CHECK(view.stamps[i].number == told.stamps[i].number);
    CHECK(raw(view.stamps[i].first) == told.stamps[i].first);
    CHECK(view.stamps[i].count == told.stamps[i].count);
  }
}

void check_entries(const block_view& view, const told_block& told) {
  entry_cursor cursor{view};
  auto seq = told.first;
  for (const auto& entry : told.entries) {
    const auto got = cursor.next();
    REQUIRE(got);
    CHECK(got->seq == seq);
    CHECK(got->time_ms == entry.time_ms);
    CHECK(as_text(got->payload) == entry.payload);
    CHECK(got->properties() == entry.properties);
    seq = seq + 1;
  }
  CHECK_FALSE(cursor.next());
  CHECK_FALSE(cursor.next());
}

using block_bytes = std::vector<std::byte>;

block_bytes finished(const told_block& told) {
  block_builder builder;
  build(builder, told);
  const auto bytes = builder.finish();
  return {bytes.begin(), bytes.end()};
}

/// A block with one of everything.
told_block full_block() {
  told_block told;
  told.stream = stream_id{7 << 8 | 3};
  told.first = sequence{300};
  told.entries = {{"first", {}, 1000},
                  {"", {{"kind", "empty"}, {"", ""}}, 1000},
                  {"third", {}, 2500}};
  told.stamps = {{"importer", 2, 41, 301, 2}};
  told.name = "tenant/log";
  told.policy = sync_policy{50, 8192, 5};
  told.closes = true;
  return told;
}

/// Gives any bytes the head that makes them look like a sound block.
void seal(block_bytes& bytes) {
  wire_writer to{bytes.data()};
  to.u32(static_cast<std::uint32_t>(bytes.size()));
  to.u64(XXH3_64bits(bytes.data() + block_head_bytes,
                     bytes.size() - block_head_bytes));
}

} // namespace

TEST_SUITE("block") {
  TEST_CASE("whatever is put into a block comes out of it") {
    dice random{1};
    block_builder builder; // One for all: it is used again and again.
    for (int round = 0; round < 2000; ++round) {
      const auto told = random_block(random);
      build(builder, told);
      check_head(builder.summary(), told);
      CHECK(builder.any()
            == (!told.entries.empty() || !told.name.empty() || told.closes
                || told.removes || told.policy || told.retention
                || told.touched_ms || told.buries || !told.order.empty()
                || !told.pins.empty()));
      const auto most = builder.bytes_max();
      const auto bytes = builder.finish();
      CHECK(bytes.size() <= most);
      CHECK(claimed_block_bytes(bytes) == bytes.size());
      const auto view = parse_block(bytes);
      REQUIRE_MESSAGE(view, view.error().context);
      check_head(*view, told);
      check_entries(*view, told);
    }
  }

  TEST_CASE("numbers at the end of their range come back") {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    auto told = full_block();
    told.stream = stream_id{most};
    told.first = sequence{most - 3};
    told.stamps = {{std::string(256, 'p'), most, most, most - 3, 3}};
    told.entries[2].time_ms = std::numeric_limits<std::int64_t>::max();
    told.policy = sync_policy{0xffffffff, 0xffffffff, 0xffffffff};
    told.name = std::string(512, 'n');
    const auto bytes = finished(told);
    const auto view = parse_block(bytes);
    REQUIRE(view);
    check_head(*view, told);
    check_entries(*view, told);
  }

  TEST_CASE("times before 1970 come back") {
    auto told = full_block();
    told.entries[0].time_ms = -5000;
    told.entries[1].time_ms = -1;
    told.entries[2].time_ms = 0;
    const auto bytes = finished(told);
    const auto view = parse_block(bytes);
    REQUIRE(view);
    check_entries(*view, told);
  }

  TEST_CASE("a payload of 16 MiB and a thousand producers fit") {
    told_block told;
    told.entries = {{std::string(16u << 20, 'x'), {}, 1}};
    for (std::uint64_t i = 0; i < 1000; ++i)
      told.stamps.push_back({"producer" + std::to_string(i), i, i, 0, 1});
    const auto bytes = finished(told);
    const auto view = parse_block(bytes);
    REQUIRE(view);
    check_head(*view, told);
    check_entries(*view, told);
  }

  TEST_CASE("a small entry costs a block a few bytes") {
    told_block told;
    told.stream = stream_id{5 << 8};
    told.entries = {{std::string(100, 'x'), {}, 1'700'000'000'000}};
    CHECK(finished(told).size() <= 100 + 28);
    for (int i = 0; i < 99; ++i)
      told.entries.push_back(told.entries[0]);
    CHECK(finished(told).size() <= 100 * (100 + 3) + 28);
  }

  TEST_CASE("any single flipped bit is detected") {
    auto bytes = finished(full_block());
    REQUIRE(parse_block(bytes));
    for (std::size_t at = 0; at < bytes.size(); ++at)
      for (unsigned bit = 0; bit < 8; ++bit) {
        bytes[at] ^= static_cast<std::byte>(1u << bit);
        const auto damaged = parse_block(bytes);
        REQUIRE_FALSE(damaged);
        CHECK(damaged.error().code == errc::corrupt);
        bytes[at] ^= static_cast<std::byte>(1u << bit);
      }
    CHECK(parse_block(bytes));
  }

  TEST_CASE("a block that is cut or has bytes behind it is refused") {
    auto bytes = finished(full_block());
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK_FALSE(parse_block(bytes_view{bytes}.first(size)));
    bytes.push_back({});
    CHECK_FALSE(parse_block(bytes));
    // But its size is known, for whoever walks over several.
    CHECK(claimed_block_bytes(bytes) == bytes.size() - 1);
  }

  TEST_CASE("a claimed size is believed only if the block can be that large") {
    block_bytes bytes(block_head_bytes);
    wire_writer{bytes.data()}.u32(block_head_bytes);
    CHECK(claimed_block_bytes(bytes) == block_head_bytes);
    CHECK(claimed_block_bytes(bytes_view{bytes}.first(11)) == 0);
    wire_writer{bytes.data()}.u32(block_head_bytes - 1);
    CHECK(claimed_block_bytes(bytes) == 0);
    wire_writer{bytes.data()}.u32(block_head_bytes + 1);
    CHECK(claimed_block_bytes(bytes) == 0);
    wire_writer{bytes.data()}.u32(0xffffffff);
    CHECK(claimed_block_bytes(bytes) == 0);
    CHECK(claimed_block_bytes({}) == 0);
  }

  TEST_CASE("random bytes are refused") {
    dice random{2};
    for (int round = 0; round < 20'000; ++round) {
      block_bytes bytes(random() % 200);
      for (auto& byte : bytes)
        byte = static_cast<std::byte>(random());
      if (bytes.size() >= 4 && random() % 2 == 0)
        wire_writer{bytes.data()}.u32(
          static_cast<std::uint32_t>(bytes.size()));
      const auto view = parse_block(bytes);
      REQUIRE_FALSE(view);
      CHECK(view.error().code == errc::corrupt);
    }
  }

  TEST_CASE("random bytes with the right checksum do no harm to the parser") {
    dice random{3};
    int refused = 0;
    for (int round = 0; round < 50'000; ++round) {
      block_bytes bytes(block_head_bytes + random() % 100);
      for (auto& byte : bytes)
        byte = static_cast<std::byte>(random());
      seal(bytes);
      if (const auto view = parse_block(bytes); !view) {
        CHECK(view.error().code == errc::corrupt);
        ++refused;
      }
    }
    CHECK(refused > 25'000);
  }

  TEST_CASE("changed bytes with the right checksum do no harm to the parser") {
    dice random{4};
    for (int round = 0; round < 50'000; ++round) {
      auto bytes = finished(full_block());
      for (auto left = 1 + random() % 4; left > 0; --left)
        bytes[block_head_bytes
              + random() % std::min<std::size_t>(
                60, bytes.size() - block_head_bytes)]
          = static_cast<std::byte>(random());
      seal(bytes);
      if (const auto view = parse_block(bytes); !view)
        CHECK(view.error().code == errc::corrupt);
    }
  }

  TEST_CASE("flags of a later version are refused") {
    told_block told;
    told.stream = stream_id{1};
    told.closes = true;
    auto bytes = finished(told);
    REQUIRE(parse_block(bytes));
    bytes[block_head_bytes + 1] |= std::byte{32};
    seal(bytes);
    CHECK_FALSE(parse_block(bytes));
  }

  TEST_CASE("texts that no record can hold are refused") {
    const auto refused = [](const std::function<void(block_builder&)>& say) {
      block_builder builder;
      builder.start(stream_id{256}, sequence{7});
      say(builder);
      return !parse_block(builder.finish());
    };
    const std::string name(limits::name_bytes_max, 'n');
    const std::string type(limits::content_type_bytes_max, 't');
    const std::string order(limits::order_bytes_max, 'o');
    const std::string id(limits::producer_id_bytes_max, 'p');
    CHECK_FALSE(refused([&](auto& with) {
      with.create(name, type);
      with.order(order);
      with.stamp(id, 1, 2, 0);
      with.pin(1, name);
    }));
    CHECK(refused([&](auto& with) { with.create(name + 'n'); }));
    CHECK(refused([&](auto& with) { with.create("n", type + 't'); }));
    CHECK(refused([&](auto& with) { with.order(order + 'o'); }));
    CHECK(refused([&](auto& with) { with.stamp(id + 'p', 1, 2, 0); }));
    CHECK(refused([&](auto& with) { with.stamp("", 1, 2, 0); }));
    CHECK(refused([&](auto& with) { with.pin(1, name + 'n'); }));
  }

  TEST_CASE("a block that has no entries but bytes of some is refused") {
    told_block told;
    told.stream = stream_id{1};
    told.closes = true;
    auto bytes = finished(told);
    bytes.insert(bytes.end(), 3, std::byte{2});
    seal(bytes);
    CHECK_FALSE(parse_block(bytes));
  }

  TEST_CASE("a builder that held much gives the memory back") {
    block_builder builder;
    builder.start(stream_id{1}, {});
    builder.add(as_bytes(std::string(1u << 20, 'x')), {}, 0);
    CHECK(builder.capacity() > 1u << 20);
    CHECK(builder.content_bytes() > 1u << 20);
    CHECK(builder.payload_bytes() == 1u << 20);
    builder.start(stream_id{2}, {});
    CHECK(builder.capacity() <= 8u << 10);
    CHECK(builder.content_bytes() == 0);
    CHECK(builder.payload_bytes() == 0);
    CHECK_FALSE(builder.any());
  }

  TEST_CASE("properties come back in their order, also the same key twice") {
    const std::vector<property> pairs{
      {"b", "1"}, {"a", "2"}, {"b", ""}, {"", "3"}, {{"\0", 1}, "\xff"}};
    const auto bytes = encode_properties(pairs);
    entry_view entry;
    entry.encoded = bytes;
    CHECK(entry.properties() == pairs);
    CHECK(encode_properties({}).empty());
  }
}
