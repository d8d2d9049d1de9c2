// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/system/call_faults.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace torpor::test {

/// One life of a store: a process works on it and comes to grief, perhaps the
/// next ones do while they recover it, and the last one judges what is left.
struct round_plan {
  std::uint64_t seed = 1;  ///< Of the workload.
  std::size_t steps = 60;  ///< Requests.
  call_plan work;          ///< What happens to who works.
  std::optional<std::chrono::microseconds> kill_after; ///< Or when it is killed.
  std::uint64_t recovery = 0; ///< Call in which a first recovery is killed; 0: none.
  bool again = false;         ///< In the end it works on, and stops as it should.
};

/// What a round found.
struct round_end {
  std::string wrong;   ///< Empty: nothing was lost.
  bool met = false;    ///< What was planned for the first process happened.
};

/// Plays a round in `directory`, which is made and stays.
/// Threads: the caller is the only one of its process.
[[nodiscard]] round_end play(const round_plan& plan,
                             const std::string& directory);

/// How many calls of each kind a workload makes that nothing happens to.
[[nodiscard]] std::array<std::uint64_t, system_calls>
measure(const round_plan& plan, const std::string& directory);

} // namespace torpor::test
