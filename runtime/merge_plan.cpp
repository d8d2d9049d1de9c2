// SPDX-License-Identifier: Apache-2.0
#include "runtime/merge_plan.hpp"

#include "runtime/assert.hpp"

#include <algorithm>

namespace torpor {

unsigned tier_of(const segment_summary& segment, std::uint64_t base_bytes) {
  TORPOR_ASSERT(base_bytes > 0);
  unsigned tier = 0;
  for (auto rest = segment.file_bytes / base_bytes; rest >= merge_fan_in;
       rest /= merge_fan_in)
    ++tier;
  return tier;
}

merge_range choose_merge(const std::vector<segment_summary>& segments,
                         std::uint64_t base_bytes,
                         const std::set<std::uint64_t>& skipped) {
  const auto tier = [&](std::size_t at) {
    return tier_of(segments[at], base_bytes);
  };
  const auto stays = [&](std::size_t at) {
    return skipped.contains(segments[at].number);
  };
  for (auto end = segments.size(); end > 0;) {
    if (stays(end - 1)) {
      --end;
      continue;
    }
    auto begin = end - 1;
    while (begin > 0 && !stays(begin - 1) && tier(begin - 1) <= tier(end - 1))
      --begin;
    if (end - begin >= merge_fan_in)
      return {begin, std::min(end, begin + merge_sources_max)};
    end = begin;
  }
  return {};
}

merge_range compaction::next(const std::vector<segment_summary>& segments,
                             const std::set<std::uint64_t>& skipped) {
  const auto behind = [&segments](std::uint32_t file) {
    return static_cast<std::size_t>(
      std::partition_point(segments.begin(), segments.end(),
                           [file](const auto& each) {
                             return each.journal_last <= file;
                           })
      - segments.begin());
  };
  const auto stays = [&](std::size_t at) {
    return skipped.contains(segments[at].number);
  };
  const auto size = behind(end_);
  auto begin = behind(done_);
  while (begin < size && stays(begin))
    ++begin;
  if (begin == size && !skipped.empty())
    return {}; // They cannot become one.
  // A single one that is left at the end of a pass goes into the next.
  if (begin == size || (!first_ && begin + 1 == size)) {
    first_ = false;
    begin = 0;
  }
  if (begin == size || (!first_ && size == 1))
    return {};
  auto end = begin + 1;
  while (end < size && end - begin < merge_sources_max && !stays(end))
    ++end;
  done_ = segments[end - 1].journal_last;
  return {begin, end};
}

void replace_segments(std::vector<segment_summary>& segments,
                      const std::vector<std::uint64_t>& gone,
                      const segment_summary* made) {
  std::erase_if(segments, [&gone](const auto& each) {
    return std::find(gone.begin(), gone.end(), each.number) != gone.end();
  });
  if (made == nullptr)
    return;
  const auto place = std::partition_point(
    segments.begin(), segments.end(), [made](const auto& each) {
      return each.journal_last < made->journal_first;
    });
  segments.insert(place, *made);
}

} // namespace torpor
