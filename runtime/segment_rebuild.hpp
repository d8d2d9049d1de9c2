// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog.hpp"
#include "runtime/disk.hpp"
#include "runtime/journal_files.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace torpor {

/// A segment's file that a rebuilt list does not name, and why.
struct left_segment {
  std::string path;
  std::string text;
};

/// What the files of a store say of its state.
struct rebuilt_state {
  catalog_state state;
  std::vector<left_segment> left;
  /// Journal files that no segment has, from and to: all they had was deleted,
  /// or a segment is lost. Which of the two, `verify` finds out afterwards.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> holes;
};

/// Makes the catalog's state anew from segments and journal
/// (docs/segment-format.md, "Rebuilding the list"). `known` is what the catalog
/// says, if that can be read. Changes nothing. Errors: io_failed, incompatible,
/// corrupt: journal files that no segment has while one cannot be read, segments
/// that overlap in part, or damage in what is not sealed; names the files.
[[nodiscard]] result<rebuilt_state>
rebuild_state(disk& disk, const journal_config& journal,
              const std::string& directory,
              const std::optional<catalog_state>& known);

/// Where nobody has read the journal.
inline constexpr std::uint32_t journal_end_unknown = ~std::uint32_t{0};

/// A segment that a catalog's state does not name, though it has a journal file
/// that is not sealed by that state and not there any more: then the catalog is
/// an older copy. Nor is a file there that lies behind the journal's end: the
/// journal is an older copy, too. Returns its path; empty: there is none, or
/// nobody can tell.
[[nodiscard]] std::string find_newer_segment(disk& disk,
                                             const journal_config& journal,
                                             const std::string& directory,
                                             const catalog_state& state,
                                             std::uint32_t journal_end);

/// What is wrong with the files of a list: missing ones, and those that say
/// something else of themselves.
[[nodiscard]] std::vector<left_segment>
compare_segments(disk& disk, const std::string& directory,
                 const store_id& store,
                 const std::vector<segment_summary>& listed);

} // namespace torpor
