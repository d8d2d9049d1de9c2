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

/// An index with the chains that records keep.
struct chained_index {
  auto find(stream_id id, sequence from, std::uint64_t bytes_max) {
    return index.find(chains[raw(id)], id, from, bytes_max);
  }
  std::optional<sequence> find_time(stream_id id, std::int64_t time_ms) {
    const auto found = index.find_time(chains[raw(id)], id, time_ms);
    return found ? std::optional{found->first} : std::nullopt;
  }
  [[nodiscard]] std::size_t blocks() const { return index.blocks(); }

  block_index index;
  std::map<std::uint64_t, block_chain> chains;
};

void add(chained_index& to, std::uint64_t stream, const model_block& block) {
  block_view view;
  view.stream = stream_id{stream};
  view.first = sequence{block.first};
  view.count = block.count;
  view.last_ms = block.last_ms;
  to.index.add(to.chains[stream], view, block.place);
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
void grow(chained_index& index, model& blocks, std::uint64_t stream,
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
  next.place = {static_cast<std::uint32_t>(1 + index.blocks() / 100),
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
    chained_index index;
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
    chained_index index;
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
    chained_index index;
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
    chained_index index;
    add(index, 1, {0, 10, 5, {1, 0, 100}});
    add(index, 1, {50, 10, 9, {1, 100, 100}});
    const auto found = index.find(stream_id{1}, sequence{20}, 1000);
    REQUIRE(found.size() == 1);
    CHECK(found[0].first == sequence{50});
  }

  TEST_CASE("a stream that does not begin at 0 leads with its first block") {
    chained_index index;
    add(index, 1, {50, 10, 9, {1, 100, 100}});
    CHECK(index.find(stream_id{1}, {}, 1000).size() == 1);
    CHECK(index.find_time(stream_id{1}, 0) == sequence{50});
  }

  TEST_CASE("blocks without entries are not indexed") {
    chained_index index;
    add(index, 1, {0, 0, 5, {1, 0, 100}});
    CHECK(index.blocks() == 0);
    CHECK(index.find(stream_id{1}, {}, 1000).empty());
    CHECK_FALSE(index.find_time(stream_id{1}, 0));
  }

  TEST_CASE("a stream without blocks has none") {
    chained_index index;
    add(index, 1, {0, 1, 5, {1, 0, 100}});
    CHECK(index.find(stream_id{2}, {}, 1000).empty());
    CHECK_FALSE(index.find_time(stream_id{2}, 0));
  }

  TEST_CASE("blocks of files that were dropped are gone, all others are not") {
    std::mt19937_64 random{3};
    chained_index index;
    model blocks;
    std::uint32_t file = 0;
    for (int round = 0; round < 200; ++round) {
      ++file;
      // Some streams are in every file, some in a few, one in most blocks.
      for (auto left = random() % 3000; left > 0; --left) {
        const auto stream = random() % 2 == 0 ? 1 : 2 + random() % 40;
        auto& known = blocks[stream];
        const auto first = known.empty() ? 0 : known.back().first + 1;
        known.push_back({first, 1, static_cast<std::int64_t>(first),
                         {file, static_cast<std::uint32_t>(first), 10}});
        add(index, stream, known.back());
      }
      const auto dropped = file > 3 ? file - 3 : 0;
      index.index.drop(dropped);
      for (auto& [stream, known] : blocks) {
        std::erase_if(known, [&](const auto& block) {
          return block.place.file <= dropped && &block != &known.back();
        });
        auto left = known;
        std::erase_if(left, [&](const auto& block) {
          return block.place.file <= dropped;
        });
        const auto end = known.back().first + 1;
        const auto from = random() % (end + 5);
        REQUIRE(places(index.find(stream_id{stream}, sequence{from}, 200))
                == expected(left, from, 200));
        const auto time = index.find_time(stream_id{stream},
                                          static_cast<std::int64_t>(from));
        REQUIRE((time ? std::optional{raw(*time)} : std::nullopt)
                == first_at(left, static_cast<std::int64_t>(from)));
        REQUIRE(index.index.holds(index.chains[stream]) == !left.empty());
      }
    }
    index.index.drop(file);
    CHECK(index.blocks() == 0);
  }

  TEST_CASE("a time is known to lie before the oldest block or not") {
    chained_index index;
    add(index, 1, {0, 1, 10, {1, 0, 10}});
    add(index, 1, {1, 1, 20, {2, 0, 10}});
    const auto find = [&](std::int64_t time_ms) {
      return index.index.find_time(index.chains[1], stream_id{1}, time_ms);
    };
    CHECK(find(10)->oldest);
    CHECK_FALSE(find(11)->oldest);
    index.index.drop(1);
    CHECK(find(11)->oldest);
  }
}
