// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// The bytes that a part of a URL stands for: "a%2Fb" is "a/b". A plus is a
/// plus. nullopt when a % is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

} // namespace torpor
