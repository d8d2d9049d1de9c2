// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/fact_sheet.hpp"
#include "cli/inspected_store.hpp"
#include "runtime/segment_merge.hpp"

#include <optional>
#include <string>
#include <vector>

namespace torpor {

/// A segment as `torpor info` tells of it.
struct segment_facts {
  segment_summary summary;
  unsigned tier = 0;    ///< With journal files of the default size.
  live_part live;       ///< Nothing if it cannot be read.
  std::string damage;   ///< Why it cannot be read; empty: it can.

  /// From 0 to 1; a segment without entries has nothing dead.
  [[nodiscard]] double live_share() const noexcept;
};

/// What is known of a whole store.
struct store_facts {
  std::uint64_t streams = 0;
  std::uint64_t journal_files = 0;
  std::uint64_t journal_file_bytes = 0; ///< With what is prepared.
  std::uint64_t catalog_bytes = 0;
  std::vector<segment_facts> segments; ///< Oldest entries first.

  /// Sums of all segments; `number`, files and times mean nothing.
  [[nodiscard]] segment_summary sealed() const noexcept;
};

/// Counts streams and reads the index of every segment. Holds one page of names
/// and one of rows. `watched`: shows on a terminal how far it is. Errors:
/// io_failed, corrupt: journal or catalog; a segment's own are kept with it.
[[nodiscard]] result<store_facts> gather_store_facts(inspected_store& store,
                                                     bool watched);

/// Puts them in the order in which they are looked for.
[[nodiscard]] fact_sheet to_sheet(const store_facts& facts,
                                  const store& opened);

/// Errors: corrupt: a segment is damaged.
[[nodiscard]] result<void> check_segments(const store_facts& facts,
                                          const store& opened);

} // namespace torpor
