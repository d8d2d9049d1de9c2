// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"

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

/// Whether a segment that could not be read is there all the same, and only
/// withheld now: for want of descriptors or of rights. Neither is damage. Threads:
/// any.
[[nodiscard]] bool is_withheld(disk& files, const std::string& directory,
                               std::uint64_t number);

} // namespace torpor
