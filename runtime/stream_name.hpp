// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <string>
#include <string_view>

namespace torpor {

/// Checks a stream's name: 1 to 512 bytes of UTF-8 without control
/// characters. It is only ever a key, never a path. Errors: invalid_argument.
[[nodiscard]] result<void> check_name(std::string_view name);

/// A name as it can be shown in a message: control characters and bytes that
/// are not UTF-8 are escaped, and long names are cut.
[[nodiscard]] std::string printable(std::string_view name);

} // namespace torpor
