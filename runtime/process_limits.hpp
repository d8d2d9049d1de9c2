// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace torpor {

/// Whether this process can start so many threads at once, by starting them:
/// CAF ends the process when one of its own does not start. `who` needs them,
/// such as "a store"; `option` says how many. Takes about 20 us a thread.
/// Errors: io_failed. Threads: any.
[[nodiscard]] result<void> check_threads(std::size_t wanted,
                                         std::string_view who,
                                         std::string_view option);

/// How many bytes of address space this process may have (`ulimit -v`), and a file
/// that it writes (`ulimit -f`); the largest number when nothing bounds it.
/// Threads: any.
[[nodiscard]] std::uint64_t address_space_max() noexcept;
[[nodiscard]] std::uint64_t file_size_max() noexcept;

/// Whether so many bytes of address space leave room for a store: where memory
/// ends in the start of a thread, libc ends the process. Errors: io_failed.
/// Threads: any.
[[nodiscard]] result<void> check_address_space(std::uint64_t bytes_max);

} // namespace torpor
