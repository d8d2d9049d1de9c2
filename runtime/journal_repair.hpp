// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/frame_reader.hpp"
#include "runtime/journal_files.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace torpor {

/// What a scan found out about the end of the journal.
struct journal_tail {
  std::uint32_t file = 0;           ///< Newest with a frame; 0 if none.
  placed_frame last;                ///< The last frame, in that file.
  std::uint32_t spare = 0;          ///< Prepared file behind it; 0 if none.
  std::vector<std::string> useless; ///< Paths to remove, in that order.
};

/// Makes what the scan decided true and durable (docs/journal-format.md).
/// Repeating it, also after a crash inside it, changes nothing more.
/// Errors: io_failed; corrupt, if the last frame is not what it was.
[[nodiscard]] result<void> repair_journal(disk& disk,
                                          const journal_config& config,
                                          const journal_tail& tail);

} // namespace torpor
