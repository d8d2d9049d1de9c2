// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/segment.hpp"
#include "runtime/segment_writer.hpp"

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

} // namespace torpor
