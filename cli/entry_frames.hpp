// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/read.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// How entries travel over HTTP when their boundaries matter (docs/http.md).
inline constexpr std::string_view entry_frames_type
  = "application/vnd.torpor.entries";

/// A body with these payloads.
[[nodiscard]] std::string
to_entry_frames(const std::vector<std::string_view>& payloads);

/// The entries in a body, which they view into; without sequences. Errors:
/// corrupt: the body ends in the middle of one.
[[nodiscard]] result<std::vector<entry_view>>
read_entry_frames(bytes_view body);

} // namespace torpor
