// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/journal_files.hpp"
#include "runtime/segment_writer.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace torpor {

/// Which journal files become a segment: exactly the frames from `frame_first`
/// to `frame_end`, so that no damage goes unseen.
struct seal_range {
  std::uint32_t first = 0;       ///< Number of the first file.
  std::uint32_t last = 0;        ///< Of the last one.
  std::uint64_t frame_first = 1; ///< Number of the first frame.
  std::uint64_t frame_end = 0;   ///< Behind the last frame.
};

/// What of `all` to seal next: as many files, oldest first, as make a segment of
/// about one file's size. nullopt: less than half a file, and less than 16 files.
/// `all.frame_end` is 0 when the last file's frames end where the next file's
/// begin; else nothing comes behind them, and 4 MiB are enough. Errors:
/// io_failed.
[[nodiscard]] result<std::optional<seal_range>>
plan_seal(disk& disk, const journal_config& config, const seal_range& all);

/// Removes sealed journal files, oldest first: those below `first`, but not the
/// `newest` one, behind which the journal goes on. Errors: io_failed; what is
/// left is removed with the next seal or opening.
[[nodiscard]] result<void> remove_sealed(disk& disk,
                                         const journal_config& config,
                                         std::uint32_t first,
                                         std::uint32_t newest);

/// Writes the entries of journal files, sorted, into a new segment and makes
/// it durable, its name too. Entries of streams that are removed in these files
/// are left out. Holds the files' blocks in memory. When it fails, the file at
/// `path` is removed again. Errors: io_failed, corrupt (names the file that is
/// damaged, with the offset, or missing).
[[nodiscard]] result<segment_summary>
seal_journal(disk& disk, const journal_config& journal, const seal_range& range,
             const std::string& directory, const segment_config& segment);

} // namespace torpor
