// SPDX-License-Identifier: Apache-2.0
#include "cli/latency_histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using torpor::latency_histogram;

namespace {

/// What `at` answers for sorted values, exactly.
std::uint64_t exact(const std::vector<std::uint64_t>& sorted, double share) {
  const auto rank = std::max(
    std::size_t{1},
    static_cast<std::size_t>(
      std::ceil(share * static_cast<double>(sorted.size()))));
  return sorted[rank - 1];
}

} // namespace

TEST_SUITE("latency_histogram") {
  TEST_CASE("an empty histogram answers 0") {
    CHECK(latency_histogram{}.at(0.5) == 0);
    CHECK(latency_histogram{}.count() == 0);
  }

  TEST_CASE("values below 2,048 ns are kept exactly") {
    for (const std::uint64_t value : {0, 1, 1023, 1024, 2047}) {
      latency_histogram times;
      times.record(value);
      times.record(5'000'000);
      CHECK(times.at(0.5) == value);
    }
  }

  TEST_CASE("every value is told with an error below one in a thousand") {
    std::mt19937_64 random{1};
    for (int i = 0; i < 500; ++i) {
      const auto value = random() >> (24 + random() % 40);
      latency_histogram times;
      times.record(value);
      // So that the largest value does not cut the bucket short.
      times.record(latency_histogram::value_max);
      const auto told = times.at(0.5);
      REQUIRE(told >= value);
      REQUIRE(static_cast<double>(told - value)
              <= static_cast<double>(value) / 1000);
    }
  }

  TEST_CASE("percentiles agree with those of the sorted values") {
    std::mt19937_64 random{2};
    latency_histogram times;
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 50'000; ++i) {
      values.push_back(random() >> (30 + random() % 30));
      times.record(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const auto share : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto wanted = static_cast<double>(exact(values, share));
      CHECK(static_cast<double>(times.at(share)) >= wanted);
      CHECK(static_cast<double>(times.at(share)) <= wanted * 1.001);
    }
  }

  TEST_CASE("no answer exceeds the largest value") {
    latency_histogram times;
    times.record(1'000'001);
    CHECK(times.at(0.5) == 1'000'001);
    CHECK(times.at(1) == 1'000'001);
  }

  TEST_CASE("a count weighs like as many single values") {
    latency_histogram times;
    times.record(10, 98);
    times.record(1000, 2);
    CHECK(times.count() == 100);
    CHECK(times.at(0.98) == 10);
    CHECK(times.at(0.99) == 1000);
  }

  TEST_CASE("merging is the same as recording all in one") {
    latency_histogram left, right, all;
    std::mt19937_64 random{3};
    for (int i = 0; i < 10'000; ++i) {
      const auto value = random() >> 40;
      (i % 3 == 0 ? left : right).record(value);
      all.record(value);
    }
    left.merge(right);
    CHECK(left.count() == all.count());
    for (const auto share : {0.01, 0.5, 0.999, 1.0})
      CHECK(left.at(share) == all.at(share));
  }

  TEST_CASE("values beyond the range count as its end") {
    latency_histogram times;
    times.record(~std::uint64_t{0});
    CHECK(times.at(1) == latency_histogram::value_max);
  }
}
