// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/segment_format.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace torpor {

/// Segments from `begin` up to before `end` of a list.
struct merge_range {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] bool empty() const noexcept { return begin == end; }
  bool operator==(const merge_range&) const = default;
};

/// Segments that are worth a merge, and a tier's file size over the one below.
inline constexpr std::size_t merge_fan_in = 8;
/// Most segments of one merge, for the sake of its memory.
inline constexpr std::size_t merge_sources_max = 16;

/// The tier of a segment: see `choose_merge`.
[[nodiscard]] unsigned tier_of(const segment_summary& segment,
                               std::uint64_t base_bytes);

/// Which neighbours of a list, oldest first, to merge next; empty: none. By
/// file sizes only. Tier 0 has less than 8 times `base_bytes` (at least 1),
/// each further tier 8 times as much; `base_bytes` should be no more than most
/// sealed segments have, or the small ones are written more often.
///
/// The list is cut from its new end into groups: the newest segment and those
/// in front of it, back to one of a higher tier; that one begins the next group
/// in the same way. So a small segment between larger ones belongs to the group
/// of the larger one behind it and does not stay for ever. The newest group of
/// 8 or more is merged. When none is left, each group has at most 7 segments
/// and its last one is of a higher tier than that of the group behind it:
/// whatever the sizes are, at most 7 * (highest tier + 1) segments remain.
///
/// A merge lifts the smaller segments of its group to the tier of its last one,
/// and 8 segments of one tier (0: of `base_bytes` or more) to the next tier: a
/// byte is written about once a tier. Of a group of more than 16 segments the
/// oldest 16 are merged first.
/// Segments whose numbers are `skipped` stay as they are, and so nothing is merged
/// across them.
[[nodiscard]] merge_range
choose_merge(const std::vector<segment_summary>& segments,
             std::uint64_t base_bytes,
             const std::set<std::uint64_t>& skipped = {});

/// Makes one segment of all that there are when it begins: a first pass
/// rewrites each of them, up to 16 at a time, further ones go on until one is
/// left. Places are numbers of journal files, because the list changes
/// meanwhile: what is sealed later is left alone, so it ends.
/// Threads: one owner.
class compaction {
public:
  explicit compaction(const std::vector<segment_summary>& segments)
    : end_{segments.empty() ? 0 : segments.back().journal_last} {}

  /// Which neighbours to merge next, once the last ones are; empty: none, also
  /// from then on.
  /// With `skipped` segments, which stay, there is one pass only.
  [[nodiscard]] merge_range next(const std::vector<segment_summary>& segments,
                                 const std::set<std::uint64_t>& skipped = {});

  /// The segments from that journal file on could not be merged: they are next.
  void back_to(std::uint32_t file) noexcept { done_ = file - 1; }

private:
  std::uint32_t end_;      ///< Last journal file that it is about.
  std::uint32_t done_ = 0; ///< Last one that this pass has merged.
  bool first_ = true;      ///< The first pass.
};

/// Takes the segments with these numbers from the list, and puts `made`, unless
/// null, into their place.
void replace_segments(std::vector<segment_summary>& segments,
                      const std::vector<std::uint64_t>& gone,
                      const segment_summary* made);

} // namespace torpor
