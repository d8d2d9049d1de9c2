// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/store.hpp"

#include <string>

namespace torpor {

/// Whether the directory becomes a store with this opening. Only a lock file, an
/// unfinished identity and directories may be there: all that an interrupted
/// making leaves. Errors: incompatible (it is somebody else's), corrupt (a store
/// without its torpor.store), not_found (to `inspect`, instead of true), io_failed.
[[nodiscard]] result<bool> is_new(disk& disk, const std::string& directory,
                                  access mode);

/// Finds out which store this is; makes it if it is new, the identity last: a
/// store that has one was made whole, and what it misses since was lost. Under the
/// lock. Errors: those of `is_new` and of `read_identity`.
[[nodiscard]] result<void> find_store(store& opened, access mode);

} // namespace torpor
