// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/journal_files.hpp"
#include "runtime/seal_plan.hpp"
#include "runtime/segment_writer.hpp"

#include <cstdint>
#include <string>

namespace torpor {

/// Removes sealed journal files, oldest first: those below `first`, but not the
/// `newest` one, behind which the journal goes on, and none below `kept_before`.
/// Errors: io_failed; what is left is removed with the next seal or opening.
[[nodiscard]] result<void> remove_sealed(disk& disk,
                                         const journal_config& config,
                                         std::uint32_t first,
                                         std::uint32_t newest,
                                         std::uint32_t kept_before = 0);

/// Writes the entries of journal files, sorted, into a new segment and makes
/// it durable, its name too. Entries of streams that are removed in these files
/// are left out. Holds the files' blocks in memory. When it fails, the file at
/// `path` is removed again. Errors: io_failed, corrupt (names the file that is
/// damaged, with the offset, or missing).
[[nodiscard]] result<segment_summary>
seal_journal(disk& disk, const journal_config& journal, const seal_range& range,
             const std::string& directory, const segment_config& segment);

} // namespace torpor
