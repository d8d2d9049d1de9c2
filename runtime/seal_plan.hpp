// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/frame.hpp"
#include "runtime/journal_files.hpp"

#include <cstdint>
#include <optional>

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

/// A journal file as its beginning shows it.
struct file_head {
  std::uint32_t number = 0;
  std::uint64_t bytes = 0;           ///< Used or not.
  std::optional<frame_header> first; ///< None if it has no frame that counts.
};

/// Reads a journal file's first frame. Errors: io_failed, and what
/// `frame_reader` says.
[[nodiscard]] result<file_head> read_file_head(disk& disk,
                                               const journal_config& config,
                                               std::uint32_t number);

/// Number of the first frame in the journal's files from that one on; nullopt:
/// there is none. Errors: as above.
[[nodiscard]] result<std::optional<std::uint64_t>>
first_frame(disk& disk, const journal_config& config, std::uint32_t file);

} // namespace torpor
