// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace torpor::test {

/// How many of the cases are tried, and how.
struct effort {
  std::uint64_t stride = 1; ///< Every so many-th case; 1: all.
  std::uint64_t only = 0;   ///< This case alone, from 1; 0: as the stride says.
  unsigned jobs = 1;        ///< Threads.
};

/// Many cases of one kind.
struct case_series {
  std::string name;
  std::uint64_t cases = 0;
  /// Tries a case, from 0. Empty, or what is wrong. Any thread.
  std::function<std::string(std::uint64_t)> judge;
  /// Cases that are tried whatever the stride; none if there is no function.
  std::function<bool(std::uint64_t)> always;
};

/// Tries them, tells how many and how long on stdout, and the progress on
/// stderr if that is a terminal; false when some failed, which are told with the
/// option that repeats them. A case that ends the process is told, too.
[[nodiscard]] bool run(const case_series& what, const effort& how);

/// How many were tried by all series of this process.
[[nodiscard]] std::uint64_t cases_tried();

} // namespace torpor::test
