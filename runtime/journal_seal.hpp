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

/// Number of the first frame behind a journal file, where the frames of that
/// file and of those before it end; what they hold of later numbers was fenced.
/// nullopt when no file up to `newest` has one. Errors: io_failed.
[[nodiscard]] result<std::optional<std::uint64_t>>
frame_behind(disk& disk, const journal_config& config, std::uint32_t number,
             std::uint32_t newest);

/// Bytes that a journal file takes, used or not; 0 if it is not there.
/// Errors: io_failed.
[[nodiscard]] result<std::uint64_t>
journal_file_bytes(disk& disk, const journal_config& config,
                   std::uint32_t number);

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
/// `path` is removed again. Errors: io_failed, corrupt (names file and offset).
[[nodiscard]] result<segment_summary>
seal_journal(disk& disk, const journal_config& journal, const seal_range& range,
             const std::string& directory, const segment_config& segment);

} // namespace torpor
