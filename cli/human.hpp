// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace torpor {

/// "0 B", "1.5 KiB", "12.3 GiB".
[[nodiscard]] std::string human_bytes(double bytes);

/// "0:05", "12:34", "1:02:03".
[[nodiscard]] std::string human_seconds(double seconds);

/// "12 s", "5 min", "3 h", "14 d": whole units, rounded down.
[[nodiscard]] std::string human_age(std::int64_t seconds);

/// "[########------------]" for 0.4, of `width` cells.
[[nodiscard]] std::string human_bar(double share, std::size_t width);

/// "2024-05-01T12:34:56.789Z" for ms since 1970.
[[nodiscard]] std::string human_time(std::int64_t ms);

} // namespace torpor
