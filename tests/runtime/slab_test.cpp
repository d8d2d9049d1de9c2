// SPDX-License-Identifier: Apache-2.0
#include "runtime/slab.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace torpor;

namespace {

using numbers = slab<std::uint64_t>;

} // namespace

TEST_SUITE("slab") {
  TEST_CASE("no two objects share a place, as in a model") {
    std::mt19937_64 random{11};
    numbers all;
    std::map<numbers::index, std::uint64_t> model;
    for (int round = 0; round < 50'000; ++round) {
      // Grows and shrinks in turn, down to nothing.
      const auto grows = round / 5000 % 2 == 0;
      if (model.empty() || random() % 10 < (grows ? 8u : 1u)) {
        const auto at = all.take();
        REQUIRE_FALSE(model.contains(at));
        REQUIRE(at < all.size());
        all[at] = model[at] = random();
      } else {
        auto one = model.lower_bound(
          static_cast<numbers::index>(random() % all.size()));
        if (one == model.end())
          one = model.begin();
        REQUIRE(all[one->first] == one->second);
        all.release(one->first);
        model.erase(one);
      }
      REQUIRE(all.used() == model.size());
    }
    for (const auto& [at, value] : model)
      CHECK(all[at] == value);
  }

  TEST_CASE("an object stays where it is while others come") {
    numbers all;
    const auto first = all.take();
    const auto* address = &all[first];
    for (int i = 0; i < 10'000; ++i)
      static_cast<void>(all.take());
    CHECK(&all[first] == address);
  }

  TEST_CASE("freed places are used before new ones") {
    numbers all;
    std::vector<numbers::index> taken;
    for (int i = 0; i < 1000; ++i)
      taken.push_back(all.take());
    const auto size = all.size();
    for (std::size_t i = 0; i < 500; ++i)
      all.release(taken[i]);
    std::set<numbers::index> again;
    for (int i = 0; i < 500; ++i)
      again.insert(all.take());
    CHECK(again.size() == 500);
    CHECK(all.size() == size);
  }

  TEST_CASE("a slab in which nothing is used starts again at place 0") {
    slab<std::vector<int>> all;
    for (int round = 0; round < 3; ++round) {
      std::vector<slab<std::vector<int>>::index> taken;
      for (int i = 0; i < 1000; ++i)
        taken.push_back(all.take());
      CHECK(*std::min_element(taken.begin(), taken.end()) == 0);
      CHECK(std::set(taken.begin(), taken.end()).size() == 1000);
      for (const auto at : taken)
        all.release(at);
      CHECK(all.used() == 0);
      CHECK(all.size() == 0);
    }
  }
}
