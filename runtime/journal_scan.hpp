// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/frame_reader.hpp"
#include "runtime/journal.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace torpor {

/// Bytes of the journal that were durable and are not readable any more.
struct journal_damage {
  std::uint32_t number = 0; ///< The file's.
  std::string file;         ///< Its path.
  std::uint64_t offset = 0; ///< First damaged byte.
  std::uint64_t bytes = 0;  ///< Damaged bytes; 0 when the whole file is gone.
  std::string text;         ///< What is wrong, for people.
  bool fatal = false;       ///< No scan that repairs goes on behind it.
};

/// What a scan does with what it finds.
struct scan_options {
  /// Damage in this file or a later one makes the scan fail with `corrupt`:
  /// without its blocks nobody knows where streams end. Damage in earlier
  /// files is only reported.
  std::uint32_t whole_from = 1;
  /// First file that may not have been removed on purpose; at most `whole_from`.
  std::uint32_t kept_from = 1;
  /// True: a torn tail is cut and what is kept is synced, unfinished and
  /// half-written files are removed; false: nothing is changed.
  bool repair = true;
};

/// What a scan found.
struct scan_result {
  journal_end end;
  std::vector<journal_damage> damages; ///< All that did not make it fail.
  std::uint64_t frames = 0;            ///< Valid ones.
  std::uint64_t blocks = 0;            ///< Visited.
  std::uint64_t bytes = 0;             ///< Of valid frames.
};

/// Reads all journal files and decides where the journal ends, by the rules
/// of docs/journal-format.md. Running it again changes nothing more. Holds
/// 1 MiB, or the largest block. With `repair` false it never fails with
/// `corrupt`: see `damages`. When it fails, blocks may have been visited, but
/// no file was changed unless by a repair that the next scan completes.
/// Errors: io_failed, corrupt (names file and offset), incompatible (another
/// store's files, or a newer format).
[[nodiscard]] result<scan_result> scan_journal(disk& disk,
                                               const journal_config& config,
                                               const scan_options& options,
                                               const block_visitor& visit);

} // namespace torpor
