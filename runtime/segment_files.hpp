// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// Name of a segment in its directory: "0000000007.segment".
[[nodiscard]] std::string segment_file_name(std::uint64_t number);

/// The number in a segment's name, from 1; nullopt if it is no such name.
[[nodiscard]] std::optional<std::uint64_t>
segment_file_number(std::string_view name);

} // namespace torpor
