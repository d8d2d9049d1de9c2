// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/journal.hpp"
#include "torpor/error.hpp"

#include <string>

namespace torpor {

/// Reads a store's identity file, `torpor.store`:
///
///     torpor store
///     format 1
///     id 00112233445566778899aabbccddeeff
///
/// Errors: not_found (no such file), incompatible (newer format), corrupt.
[[nodiscard]] result<store_id> read_identity(disk& disk,
                                             const std::string& path);

/// Gives a new store a random identity, durably and atomically.
[[nodiscard]] result<store_id> make_identity(disk& disk,
                                             const std::string& directory,
                                             const std::string& path);

/// Writes the same one again, durably and atomically.
[[nodiscard]] result<void> renew_identity(disk& disk,
                                          const std::string& directory,
                                          const std::string& path,
                                          const store_id& id);

} // namespace torpor
