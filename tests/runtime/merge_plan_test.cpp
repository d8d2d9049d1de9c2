// SPDX-License-Identifier: Apache-2.0
#include "runtime/merge_plan.hpp"

#include "tests/support/simulated_inode.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr std::uint64_t mib = 1u << 20;

/// A list of segments of so many MiB; tier 0 ends at 8.
std::vector<segment_summary> sized(const std::vector<std::uint64_t>& sizes) {
  std::vector<segment_summary> list;
  for (const auto size : sizes)
    list.emplace_back().file_bytes = size * mib;
  return list;
}

merge_range choose(const std::vector<std::uint64_t>& sizes) {
  return choose_merge(sized(sizes), mib);
}

/// What merging files one after the other, as they are sealed, has cost.
struct tally {
  std::uint64_t sealed_bytes = 0;
  std::uint64_t written_bytes = 0;
  std::size_t segments_max = 0;
  double per_byte() const {
    return static_cast<double>(written_bytes)
           / static_cast<double>(sealed_bytes);
  }
};

/// Seals files of those sizes; a merge keeps `kept_percent` of its sources.
template <class Size>
tally play(std::size_t files, std::uint64_t kept_percent, const Size& size) {
  tally sum;
  std::vector<segment_summary> list;
  for (std::size_t i = 0; i < files; ++i) {
    list.emplace_back().file_bytes = size(i);
    sum.sealed_bytes += list.back().file_bytes;
    for (;;) {
      const auto range = choose_merge(list, mib);
      if (range.empty())
        break;
      REQUIRE(range.end - range.begin >= merge_fan_in);
      REQUIRE(range.end - range.begin <= merge_sources_max);
      std::uint64_t bytes = 0;
      for (auto at = range.begin; at < range.end; ++at)
        bytes += list[at].file_bytes;
      list[range.begin].file_bytes = bytes * kept_percent / 100;
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(range.begin) + 1,
                 list.begin() + static_cast<std::ptrdiff_t>(range.end));
      sum.written_bytes += bytes * kept_percent / 100;
    }
    std::uint64_t largest = 0;
    for (const auto& each : list)
      largest = std::max(largest, each.file_bytes);
    std::size_t tiers = 1;
    for (auto rest = largest / mib; rest >= 8; rest /= 8)
      ++tiers;
    REQUIRE(list.size() <= 7 * tiers);
    sum.segments_max = std::max(sum.segments_max, list.size());
  }
  return sum;
}

// -- compacting ---------------------------------------------------------------

/// Segments 1 to `count`, each of one journal file.
std::vector<segment_summary> numbered(std::uint32_t count) {
  std::vector<segment_summary> list;
  for (std::uint32_t number = 1; number <= count; ++number) {
    auto& each = list.emplace_back();
    each.number = number;
    each.journal_first = each.journal_last = number;
  }
  return list;
}

/// Puts one segment, or none if nothing is left, in the place of a range.
void merge(std::vector<segment_summary>& list, merge_range range, bool empty) {
  std::vector<std::uint64_t> gone;
  for (auto at = range.begin; at < range.end; ++at)
    gone.push_back(list[at].number);
  auto made = list[range.begin];
  made.number += 1000;
  made.journal_last = list[range.end - 1].journal_last;
  replace_segments(list, gone, empty ? nullptr : &made);
}

} // namespace

TEST_SUITE("merge_plan") {
  TEST_CASE("a compaction rewrites every segment, and leaves one") {
    for (std::uint32_t count = 1; count <= 300; ++count) {
      auto list = numbered(count);
      compaction all{list};
      std::size_t merges = 0;
      for (;;) {
        const auto range = all.next(list);
        if (range.empty())
          break;
        REQUIRE(range.end - range.begin <= merge_sources_max);
        REQUIRE(++merges <= count / 8 + 3);
        merge(list, range, false);
      }
      REQUIRE(list.size() == 1);
      CHECK(list[0].number > 1000);
      CHECK(list[0].journal_last == count);
    }
  }

  TEST_CASE("a compaction leaves alone what is sealed after its beginning") {
    auto list = numbered(3);
    compaction all{list};
    list = numbered(20);
    CHECK(all.next(list) == merge_range{0, 3});
    merge(list, {0, 3}, false);
    CHECK(all.next(list) == merge_range{});
    CHECK(list.size() == 18);
  }

  TEST_CASE("a compaction passes over no segment when one becomes empty") {
    auto list = numbered(40);
    compaction all{list};
    CHECK(all.next(list) == merge_range{0, 16});
    merge(list, {0, 16}, true);
    CHECK(all.next(list) == merge_range{0, 16});
    CHECK(list[0].number == 17);
    merge(list, {0, 16}, false);
    CHECK(all.next(list) == merge_range{1, 9});
    merge(list, {1, 9}, true);
    CHECK(all.next(list) == merge_range{});
    CHECK(list.size() == 1);
  }

  TEST_CASE("a compaction goes on beside segments that stay") {
    auto list = numbered(20);
    compaction all{list};
    CHECK(all.next(list) == merge_range{0, 16});
    // It turns out that number 3 cannot be merged.
    all.back_to(list[0].journal_first);
    const std::set<std::uint64_t> stays{3};
    CHECK(all.next(list, stays) == merge_range{0, 2});
    merge(list, {0, 2}, false);
    CHECK(all.next(list, stays) == merge_range{2, 18});
    merge(list, {2, 18}, false);
    CHECK(all.next(list, stays) == merge_range{3, 4});
    merge(list, {3, 4}, false);
    CHECK(all.next(list, stays) == merge_range{});
    CHECK(list.size() == 4);
    CHECK(list[1].number == 3);
  }

  TEST_CASE("nothing is merged across a segment that stays") {
    auto list = numbered(20);
    for (auto& each : list)
      each.file_bytes = mib;
    CHECK(choose_merge(list, mib) == merge_range{0, 16});
    CHECK(choose_merge(list, mib, {10}) == merge_range{10, 20});
    CHECK(choose_merge(list, mib, {10, 14}) == merge_range{0, 9});
    CHECK(choose_merge(list, mib, {7, 14}) == merge_range{});
  }

  TEST_CASE("a compaction of nothing ends at once") {
    compaction all{{}};
    CHECK(all.next({}) == merge_range{});
    CHECK(all.next(numbered(3)) == merge_range{});
  }

  TEST_CASE("a merged segment takes the place of its sources") {
    auto list = numbered(5);
    segment_summary made;
    made.number = 9;
    made.journal_first = 2;
    made.journal_last = 4;
    replace_segments(list, {2, 3, 4}, &made);
    REQUIRE(list.size() == 3);
    CHECK(list[0].number == 1);
    CHECK(list[1].number == 9);
    CHECK(list[2].number == 5);
    replace_segments(list, {1, 5}, nullptr);
    REQUIRE(list.size() == 1);
    CHECK(list[0].number == 9);
  }

  TEST_CASE("neighbours are merged once there are eight of a tier") {
    CHECK(choose({}) == merge_range{});
    CHECK(choose({1, 1, 1, 1, 1, 1, 1}) == merge_range{});
    CHECK(choose({1, 7, 0, 1, 2, 3, 4, 5}) == merge_range{0, 8});
    CHECK(choose({8, 1, 1, 1, 1, 1, 1, 1}) == merge_range{});
    CHECK(choose({9, 1, 1, 1, 1, 1, 1, 1, 1}) == merge_range{1, 9});
    CHECK(choose({8, 63, 8, 8, 8, 8, 8, 8}) == merge_range{0, 8});
    CHECK(choose({64, 8, 8, 8, 8, 8, 8, 8, 1}) == merge_range{});
  }

  TEST_CASE("small segments between larger ones do not stay") {
    CHECK(choose({1, 9, 1, 9, 1, 9, 1}) == merge_range{});
    CHECK(choose({70, 1, 9, 1, 9, 1, 9, 1, 9, 1}) == merge_range{1, 9});
    CHECK(choose({1, 1, 1, 1, 1, 1, 1, 500}) == merge_range{0, 8});
  }

  TEST_CASE("a merge has at most sixteen sources, oldest first") {
    CHECK(choose(std::vector<std::uint64_t>(40, 1)) == merge_range{0, 16});
  }

  TEST_CASE("few segments remain of files of any size, written few times") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      dice chance{seed};
      const auto same = play(10'000, 100, [](auto) { return 2 * mib; });
      CHECK(same.per_byte() < 4);
      const auto even = play(10'000, 100, [&](auto) {
        return 1 + chance.below(2 * mib);
      });
      CHECK(even.per_byte() < 5);
      const auto skewed = play(10'000, 100, [&](auto) {
        return mib << chance.below(12);
      });
      CHECK(skewed.per_byte() < 5);
      const auto gone = play(10'000, 60, [&](auto) {
        return 1 + chance.below(4 * mib);
      });
      CHECK(gone.per_byte() < 2);
      for (const auto& each : {same, even, skewed, gone})
        MESSAGE("at most ", each.segments_max, " segments, ", each.per_byte(),
                " bytes written by merges per sealed byte");
    }
  }
}
