// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace torpor {

/// "0 B", "1.5 KiB", "12.3 GiB".
[[nodiscard]] std::string human_bytes(double bytes);

/// "0:05", "12:34", "1:02:03".
[[nodiscard]] std::string human_seconds(double seconds);

/// "2024-05-01T12:34:56.789Z" for ms since 1970.
[[nodiscard]] std::string human_time(std::int64_t ms);

} // namespace torpor
