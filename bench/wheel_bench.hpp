// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace torpor::bench {

/// What one timer costs among `timers`: processor time of one thread in
/// nanoseconds, medians over repetitions.
struct wheel_bench_result {
  std::size_t timers;
  double arm_ns;          ///< Includes growing the wheel from empty.
  double cancel_ns;       ///< In random order, until the wheel is empty.
  double fire_ns;         ///< Sleeping until next(): moves, polls and all.
  double bytes_per_timer; ///< With all of them armed.
};

/// Arms, cancels and fires `timers` timers (from 1) with deadlines at random
/// over 10 s. Virtual time; takes about 3 s.
[[nodiscard]] wheel_bench_result run_wheel_bench(std::size_t timers);

} // namespace torpor::bench
