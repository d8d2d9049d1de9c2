// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace torpor {

/// For measuring; nothing can set it.
using steady = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_between(steady::time_point from,
                                            steady::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}
[[nodiscard]] inline double seconds_since(steady::time_point start) {
  return seconds_between(start, steady::now());
}

} // namespace torpor
