// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/segment.hpp"
#include "runtime/segment_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace torpor {

/// What is left of a stream: its entries from that sequence on; nullopt: the
/// stream is gone. An error ends what asked.
using kept_from = std::function<result<std::optional<sequence>>(stream_id)>;

/// Merges neighbouring segments, oldest first and at least one, into the new
/// segment `config.number` of `directory`, whose journal files are theirs.
/// Leaves out the entries that are gone; asks `kept` once for each stream, in
/// ascending order. If nothing is left it makes a segment without entries. The
/// file and its name are durable when it returns; when it fails, the file is
/// removed again. Holds a chunk and a read piece of each source (600 KiB, more
/// with larger blocks), besides the writer's memory.
///
/// `cancelled` is asked at least once for each chunk of a source. The index of
/// the sources is not read, so a merge mends damage there. It stops at any
/// other damage, also in what is gone: nothing is lost unseen.
/// Errors: corrupt (names the source), io_failed (also if the file exists: that
/// one stays), shut_down (cancelled), and those of `kept`.
[[nodiscard]] result<segment_summary>
merge_segments(disk& disk,
               const std::vector<std::shared_ptr<const segment>>& sources,
               const std::string& directory, const segment_config& config,
               const kept_from& kept, const std::function<bool()>& cancelled);

/// What of a segment is not gone.
struct live_part {
  /// Raw bytes. Of a stream that begins before its kept entries, their share.
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};

/// Reads the index only; asks `kept` once for each stream, in ascending order.
/// Errors: corrupt, io_failed, and those of `kept`.
[[nodiscard]] result<live_part>
find_live(const std::shared_ptr<const segment>& from, const kept_from& kept);

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
[[nodiscard]] merge_range
choose_merge(const std::vector<segment_summary>& segments,
             std::uint64_t base_bytes);

} // namespace torpor
