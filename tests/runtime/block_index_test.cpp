// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_index.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <random>
#include <vector>

using namespace torpor;

namespace {

/// One block as the model keeps it.
struct model_block {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  std::int64_t last_ms = 0;
  block_place place;
};

using model = std::map<std::uint64_t, std::vector<model_block>>;

void add(block_index& index, std::uint64_t stream, const model_block& block) {
  block_view view;
  view.stream = stream_id{stream};
  view.first = sequence{block.first};
  view.count = block.count;
  view.last_ms = block.last_ms;
  index.add(view, block.place);
}

/// What `find` has to give, by looking at every block.
std::vector<block_place> expected(const std::vector<model_block>& blocks,
                                  std::uint64_t from,
                                  std::uint64_t bytes_max) {
  std::vector<block_place> found;
  std::uint64_t bytes = 0;
  for (const auto& block : blocks) {
    if (block.first + block.count <= from)
      continue;
    if (!found.empty() && bytes >= bytes_max)
      break;
    found.push_back(block.place);
    bytes += block.place.bytes;
  }
  return found;
}

std::vector<block_place> places(const std::vector<indexed_block>& blocks) {
  std::vector<block_place> found;
  for (const auto& block : blocks)
    found.push_back(block.place);
  return found;
}

/// Adds a random block behind the stream's others, sometimes after a gap.
void grow(block_index& index, model& blocks, std::uint64_t stream,
          std::mt19937_64& random) {
  auto& known = blocks[stream];
  model_block next;
  if (!known.empty()) {
    next.first = known.back().first + known.back().count;
    next.last_ms = known.back().last_ms;
  }
  if (random() % 50 == 0)
    next.first += random() % 20;
  next.count = static_cast<std::uint32_t>(1 + random() % 5);
  next.last_ms += static_cast<std::int64_t>(random() % 3);
  next.place = {static_cast<std::uint32_t>(1 + known.size() / 100),
                static_cast<std::uint32_t>(known.size()),
                static_cast<std::uint32_t>(1 + random() % 1000)};
  add(index, stream, next);
  known.push_back(next);
}

std::optional<std::uint64_t> first_at(const std::vector<model_block>& blocks,
                                      std::int64_t time_ms) {
  for (const auto& block : blocks)
    if (block.last_ms >= time_ms)
      return block.first;
  return std::nullopt;
}

} // namespace

TEST_SUITE("block_index") {
  TEST_CASE("any place of a long stream is found, as in a model") {
    std::mt19937_64 random{1};
    block_index index;
    model blocks;
    for (int i = 0; i < 10'000; ++i)
      grow(index, blocks, 1, random);
    const auto& known = blocks[1];
    const auto end = known.back().first + known.back().count;
    for (std::uint64_t from = 0; from < end; ++from)
      REQUIRE(places(index.find(stream_id{1}, sequence{from}, 2000))
              == expected(known, from, 2000));
    for (std::int64_t time = 0; time <= known.back().last_ms; ++time) {
      const auto found = index.find_time(stream_id{1}, time);
      REQUIRE(found);
      REQUIRE(raw(*found) == first_at(known, time));
    }
    CHECK(index.find(stream_id{1}, sequence{end}, 2000).empty());
    CHECK_FALSE(index.find_time(stream_id{1}, known.back().last_ms + 1));
  }

  TEST_CASE("streams that grow side by side are kept apart") {
    std::mt19937_64 random{2};
    block_index index;
    model blocks;
    for (int i = 0; i < 5000; ++i) {
      const auto stream = 1 + random() % 20;
      grow(index, blocks, stream, random);
      const auto& known = blocks[stream];
      const auto from = random() % (known.back().first + 10);
      REQUIRE(places(index.find(stream_id{stream}, sequence{from}, 5000))
              == expected(known, from, 5000));
    }
    CHECK(index.blocks() == 5000);
  }

  TEST_CASE("blocks come until their sizes reach the bound, at least one") {
    block_index index;
    for (std::uint32_t i = 0; i < 10; ++i)
      add(index, 1, {i * 10u, 10, i, {1, i * 100, 100}});
    const auto count = [&](std::uint64_t bytes_max) {
      return index.find(stream_id{1}, sequence{25}, bytes_max).size();
    };
    CHECK(count(0) == 1);
    CHECK(count(100) == 1);
    CHECK(count(101) == 2);
    CHECK(count(std::numeric_limits<std::uint64_t>::max()) == 8);
    CHECK(index.find(stream_id{1}, sequence{25}, 1)[0].first == sequence{20});
  }

  TEST_CASE("behind a gap the first block after it leads") {
    block_index index;
    add(index, 1, {0, 10, 5, {1, 0, 100}});
    add(index, 1, {50, 10, 9, {1, 100, 100}});
    const auto found = index.find(stream_id{1}, sequence{20}, 1000);
    REQUIRE(found.size() == 1);
    CHECK(found[0].first == sequence{50});
  }

  TEST_CASE("a stream that does not begin at 0 leads with its first block") {
    block_index index;
    add(index, 1, {50, 10, 9, {1, 100, 100}});
    CHECK(index.find(stream_id{1}, {}, 1000).size() == 1);
    CHECK(index.find_time(stream_id{1}, 0) == sequence{50});
  }

  TEST_CASE("blocks without entries are not indexed") {
    block_index index;
    add(index, 1, {0, 0, 5, {1, 0, 100}});
    CHECK(index.blocks() == 0);
    CHECK(index.find(stream_id{1}, {}, 1000).empty());
    CHECK_FALSE(index.find_time(stream_id{1}, 0));
  }

  TEST_CASE("a stream without blocks has none") {
    block_index index;
    add(index, 1, {0, 1, 5, {1, 0, 100}});
    CHECK(index.find(stream_id{2}, {}, 1000).empty());
    CHECK_FALSE(index.find_time(stream_id{2}, 0));
  }

  TEST_CASE("a removed stream is forgotten, its neighbours are not") {
    block_index index;
    for (std::uint32_t i = 0; i < 600; ++i)
      for (const std::uint64_t stream : {1, 2})
        add(index, stream, {i, 1, i, {1, i, 10}});
    index.remove(stream_id{1});
    index.remove(stream_id{3});
    CHECK(index.find(stream_id{1}, {}, 1000).empty());
    CHECK_FALSE(index.find_time(stream_id{1}, 0));
    CHECK(index.find(stream_id{2}, {}, ~0ull).size() == 600);
  }

  TEST_CASE("what a removed stream took is used again") {
    std::mt19937_64 random{3};
    block_index index;
    model blocks;
    for (std::uint64_t stream = 1; stream <= 50; ++stream) {
      for (int i = 0; i < 1000; ++i)
        grow(index, blocks, stream, random);
      const auto& known = blocks[stream];
      REQUIRE(places(index.find(stream_id{stream}, {}, ~0ull))
              == expected(known, 0, ~0ull));
      index.remove(stream_id{stream});
    }
    for (int i = 0; i < 1000; ++i)
      grow(index, blocks, 99, random);
    // Without the others' places these would be 51,000.
    CHECK(index.blocks() <= 2000);
    REQUIRE(places(index.find(stream_id{99}, {}, ~0ull))
            == expected(blocks[99], 0, ~0ull));
  }
}
