// SPDX-License-Identifier: Apache-2.0
#include "runtime/id_map.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <unordered_map>

using torpor::id_map;
using torpor::stream_id;

TEST_CASE("a map without ids knows none, whatever it is asked") {
  const id_map map;
  for (const auto id : {std::uint64_t{0}, std::uint64_t{255},
                        std::uint64_t{1} << 40,
                        std::numeric_limits<std::uint64_t>::max()})
    CHECK(map.find(stream_id{id}) == id_map::none);
}

TEST_CASE("ids that differ only in their slot are apart") {
  id_map map;
  map.set(stream_id{1 << 8 | 3}, 10);
  map.set(stream_id{1 << 8 | 4}, 11);
  map.erase(stream_id{1 << 8 | 3});
  CHECK(map.find(stream_id{1 << 8 | 3}) == id_map::none);
  CHECK(map.find(stream_id{1 << 8 | 4}) == 11);
}

TEST_CASE("an id map answers as a hash table does, over random operations") {
  id_map map;
  std::unordered_map<std::uint64_t, std::uint32_t> model;
  std::mt19937_64 random{7};
  for (std::uint32_t step = 0; step < 200'000; ++step) {
    // Near numbers, numbers around the edges of leaves and branches, far ones.
    const std::uint64_t ranges[] = {70, 16'500, 3'000'000};
    const auto number = random() % ranges[random() % 3];
    const auto id = number << 8 | random() % 3;
    if (random() % 2 == 0) {
      map.set(stream_id{id}, step);
      model[id] = step;
    } else {
      map.erase(stream_id{id});
      model.erase(id);
    }
    const auto other = (random() % 16'500) << 8 | random() % 3;
    for (const auto asked : {id, other}) {
      const auto known = model.find(asked);
      REQUIRE(map.find(stream_id{asked})
              == (known != model.end() ? known->second : id_map::none));
    }
  }
}
