// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <string_view>
#include <vector>

namespace torpor {

/// The values in a body of JSON, as their bytes stand there (views into it): of
/// an array its elements, else the value itself. Each is valid as RFC 8259 has
/// it, in UTF-8, and nested at most 512 deep. Numbers may be of any size: what
/// one cannot compute with one can still pass on. Errors: invalid_argument,
/// too_large (more than an append may have).
[[nodiscard]] result<std::vector<std::string_view>>
json_messages(std::string_view body);

/// Whether a text is one such value, which can be an array, too.
[[nodiscard]] bool is_json_value(std::string_view text);

} // namespace torpor
