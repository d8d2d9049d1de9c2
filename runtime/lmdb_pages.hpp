// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "torpor/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace torpor {

/// What to look at.
enum class lmdb_look : std::uint8_t {
  end,        ///< The list of free pages, if the file ends before its last page.
  free_pages, ///< The list of free pages.
  all,        ///< Every page.
};

/// Looks at the pages of `data.mdb` as they lie in the file, before LMDB does,
/// which has no checksums, believes what they say, and ends the process where
/// that makes no sense or leads behind the file's end. Changes nothing.
///
/// A page may be used once, has to say its own number and to lie in the file: it
/// may be missing if it is free, because LMDB does not write what an update took
/// and gave back. LMDB writes over what its list of free pages names. O(free
/// pages); for `all` O(pages). The format: mdb.c of LMDB 0.9, 64 bit (MDB_meta,
/// MDB_db, MDB_page, MDB_node).
/// Errors: corrupt, io_failed. A file that is not LMDB's is none: LMDB says so.
/// Threads: any, but not beside an update.
[[nodiscard]] result<void> check_pages(const std::string& directory,
                                       lmdb_look how);
/// The same of a file that is open; errors name the directory.
[[nodiscard]] result<void> check_pages(const file& data,
                                       const std::string& directory,
                                       lmdb_look how);

/// The pages that a large value has for itself, as the head of the first says.
struct value_pages {
  static constexpr std::size_t head_bytes = 16;

  /// Of the 16 bytes that a page begins with; nullopt if it is of another kind.
  [[nodiscard]] static std::optional<value_pages> of(bytes_view head) noexcept;

  /// Whether they have room for so many bytes behind the head.
  [[nodiscard]] bool hold(std::uint64_t bytes,
                          std::size_t page_bytes) const noexcept {
    return head_bytes + bytes <= count * page_bytes;
  }

  std::uint64_t first = 0; ///< Number of a page.
  std::uint64_t count = 0;
};

} // namespace torpor
