// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// Reads standard input to its end. Errors: too_large (more than one append
/// can have), io_failed.
[[nodiscard]] result<std::string> read_standard_input();

/// The lines of a text without their newlines; views into it.
[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text);

/// The payloads of u32 little-endian lengths each followed by so many bytes.
/// Errors: invalid_argument (ends inside of an entry), too_large (one claims
/// more than 16 MiB).
[[nodiscard]] result<std::vector<std::string_view>>
split_length_prefixed(std::string_view bytes);

} // namespace torpor
