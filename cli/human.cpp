// SPDX-License-Identifier: Apache-2.0
#include "cli/human.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

namespace torpor {

std::string human_bytes(double bytes) {
  constexpr std::array<std::string_view, 6> units{"B",   "KiB", "MiB",
                                                  "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit)
    bytes /= 1024;
  return unit == 0 ? fmt::format("{:.0f} B", bytes)
                   : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string human_seconds(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  const auto hours = whole / 3600;
  const auto minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string human_age(std::int64_t seconds) {
  if (seconds < 60)
    return fmt::format("{} s", std::max<std::int64_t>(seconds, 0));
  if (seconds < 3600)
    return fmt::format("{} min", seconds / 60);
  if (seconds < 2 * 86400)
    return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

std::string human_bar(double share, std::size_t width) {
  const auto most = static_cast<double>(width);
  const auto full = static_cast<std::size_t>(
    std::clamp(share * most + 0.5, 0.0, most));
  return fmt::format("[{}{}]", std::string(full, '#'),
                     std::string(width - full, '-'));
}

std::string human_time(std::int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000 - (ms % 1000 < 0));
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr)
    return fmt::format("{} ms", ms);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                     parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec,
                     (ms % 1000 + 1000) % 1000);
}

} // namespace torpor
