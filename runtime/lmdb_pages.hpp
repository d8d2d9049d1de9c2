// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "torpor/error.hpp"

#include <cstdint>
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

} // namespace torpor
