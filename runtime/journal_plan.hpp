// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/journal_files.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace torpor {

/// A file that holds frames of the journal.
struct planned_file {
  std::uint32_t number = 0;
  std::uint64_t limit = 0; ///< Its frames end before this one; 0: unknown.
  bool after_gap = false;  ///< Its first frame's number is not known.
};

/// Which files matter, and what the others are. Derived from the first frame
/// of each file (docs/journal-format.md, "Where a file ends").
struct journal_plan {
  std::vector<planned_file> files;    ///< Oldest first; the last has a frame.
  std::uint32_t oldest = 0;           ///< Number of the first file there is.
  std::vector<std::uint32_t> missing; ///< There must be such a file.
  /// Number of a file and the number that its first frame states instead.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> misplaced;
  std::vector<std::uint32_t> cut; ///< Without a frame, and cut off.
  std::uint32_t spare = 0;          ///< Prepared, without a frame; 0 if none.
  std::vector<std::string> useless; ///< Paths to remove, in that order.
};

/// Looks at all files and changes nothing. Errors: io_failed, incompatible.
[[nodiscard]] result<journal_plan> plan_journal(disk& disk,
                                                const journal_config& config);

} // namespace torpor
