// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/lmdb_transaction.hpp"

namespace torpor {

/// Whether LMDB's list of free pages makes sense: pages of the file, none twice,
/// and all that the file did not have. LMDB writes over what it names, and reads
/// on for as long as it says. O(free pages). The list: a database of LMDB's own; a
/// value is a count and as many numbers of pages, each 8 bytes, largest first.
/// Errors: corrupt, io_failed.
[[nodiscard]] result<void>
check_free_pages(const lmdb_transaction& transaction);

} // namespace torpor
