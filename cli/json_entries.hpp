// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// Whether a stream of that type takes JSON only.
[[nodiscard]] bool takes_json(std::string_view content_type) noexcept;

/// Checks entries that are to go to a stream of JSON: each has to be one value.
/// Put together to an array, `1,2` would become two entries, and `{"a":1` with
/// `"b":2}` a single one. `before`: how many came in front of these. Errors:
/// invalid_argument, naming the entry by its number from 1 on.
[[nodiscard]] result<void>
check_json_entries(const std::string& stream,
                   const std::vector<std::string_view>& payloads,
                   std::uint64_t before);

} // namespace torpor
