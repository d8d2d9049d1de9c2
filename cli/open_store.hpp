// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.hpp"
#include "torpor/runtime.hpp"

#include <cstdint>
#include <limits>
#include <string>

namespace torpor {

/// Errors: not_found (no store in that directory), io_failed.
[[nodiscard]] result<void> check_store_exists(const std::string& data_dir);

/// For `open_store`: it is not known how much will be written.
inline constexpr auto many_bytes = std::numeric_limits<std::uint64_t>::max();

/// Opens the store of the command line for writing. `bytes` is how much may be
/// on its way at once, encoded: the journal's new files are made no larger than
/// that needs, so that a small command does not fill 64 MiB with zeros. With
/// `create` a missing store is made. Warns on standard error when the journal
/// is damaged. Errors: as runtime::open, and not_found.
[[nodiscard]] result<runtime> open_store(const command_context& given,
                                         std::uint64_t bytes, bool create);

} // namespace torpor
