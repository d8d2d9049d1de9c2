// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <string_view>

namespace torpor {

/// What an answer of 400 or more says, for people: what was tried, what the
/// server says about it, and what can be done.
[[nodiscard]] error http_failure(std::string_view tried, unsigned status,
                                 std::string_view body);

/// Whether the server only asks for patience.
[[nodiscard]] constexpr bool asks_for_patience(unsigned status) noexcept {
  return status == 429 || status == 503;
}

} // namespace torpor
