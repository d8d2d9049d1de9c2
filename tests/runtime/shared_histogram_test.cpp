// SPDX-License-Identifier: Apache-2.0
#include "runtime/shared_histogram.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace torpor {

namespace {

histogram_counts counted(const shared_histogram& from) {
  histogram_counts sum;
  from.add_to(sum);
  return sum;
}

} // namespace

TEST_SUITE_BEGIN("shared_histogram");

TEST_CASE("a quantile is never below the value and at most an eighth above") {
  for (std::uint64_t value = 1; value < histogram_counts::value_max;
       value = value * 5 / 3 + 1) {
    const auto one = std::make_unique<shared_histogram>();
    one->record(value);
    const auto found = counted(*one).at(0.5);
    CHECK(found >= value);
    CHECK(found - value <= value / 8);
  }
}

TEST_CASE("quantiles tell the slow from the many") {
  shared_histogram all;
  for (int i = 0; i < 99; ++i)
    all.record(1000);
  all.record(1'000'000);
  const auto sum = counted(all);
  CHECK(sum.count() == 100);
  CHECK(sum.sum_ns == 99 * 1000 + 1'000'000);
  CHECK(sum.at(0.5) < 1200);
  CHECK(sum.at(0.99) < 1200);
  CHECK(sum.at(1) >= 1'000'000);
}

TEST_CASE("what is below a power of two is told exactly") {
  shared_histogram all;
  for (const std::uint64_t ns : {1023, 1024, 1025, 2047, 2048})
    all.record(ns);
  const auto sum = counted(all);
  CHECK(sum.below(1024) == 1);
  CHECK(sum.below(2048) == 4);
  CHECK(sum.below(4096) == 5);
  CHECK(sum.below(std::uint64_t{1} << 36) == 5);
}

TEST_CASE("what is out of range counts as the largest value") {
  shared_histogram all;
  all.record(~std::uint64_t{0} >> 1);
  const auto sum = counted(all);
  CHECK(sum.count() == 1);
  CHECK(sum.at(0.5) == histogram_counts::value_max);
  CHECK(sum.below(std::uint64_t{1} << 36) == 1);
}

TEST_CASE("several histograms are put together") {
  shared_histogram a;
  shared_histogram b;
  a.record(10);
  b.record(20);
  histogram_counts sum;
  a.add_to(sum);
  b.add_to(sum);
  CHECK(sum.count() == 2);
  CHECK(sum.sum_ns == 30);
}

TEST_CASE("no values have no quantile") {
  CHECK(counted(shared_histogram{}).at(0.99) == 0);
}

TEST_SUITE_END();

} // namespace torpor
