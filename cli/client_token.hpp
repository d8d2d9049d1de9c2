// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <string>

namespace torpor {

/// The token that a daemon asks for: what the file holds or, without a file,
/// the variable TORPOR_TOKEN; empty: none. Never an argument, which everybody
/// could see in the list of processes. Errors: io_failed, invalid_argument.
[[nodiscard]] result<std::string> client_token(const std::string& file);

} // namespace torpor
