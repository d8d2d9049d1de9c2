// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/read.hpp"
#include "torpor/types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// Entries as a body of `entries_type` has them: each its sizes and time, its
/// properties and its payload, nothing between them (docs/http.md).
[[nodiscard]] std::string entries_body(const std::vector<entry_view>& entries);

/// The payloads in such a body; views into it. Times and properties are passed
/// over. Errors: invalid_argument: it ends in the middle of an entry.
[[nodiscard]] result<std::vector<std::string_view>>
payloads_of(std::string_view body);

} // namespace torpor
