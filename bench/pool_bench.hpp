// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace torpor::bench {

/// How a pool of CAF workers shares its jobs.
enum class pool_kind : std::uint8_t {
  ours,    ///< torpor::work_stealing.
  stock,   ///< CAF's work stealing, its default.
  sharing, ///< CAF's work sharing: one queue for all workers.
};

/// "ours", "stock" or "sharing".
[[nodiscard]] std::string_view to_string(pool_kind kind) noexcept;

/// What it costs to spawn an actor, send it a message and let it quit, while
/// `queued_actors` actors are queued by one. Microseconds per actor, of the
/// fastest repetition: whatever else runs on the machine only adds.
struct pool_bench_result {
  std::size_t repetitions;
  double cycle_us; ///< From the first spawn to the last end.
  double cpu_us;   ///< Of all threads of the process.
};

/// What a pool without a single job costs.
struct idle_pool_result {
  double wakeups_per_s; ///< Context switches of all its threads.
  double cpu_percent;   ///< Of one core.
};

/// Runs cycles in a pool of `workers` (from 1) threads, `queued_actors` (from
/// 1, about 1.5 KB each) at a time, for at least 1 s. Ends after the repetition
/// that is running at 10 s; with `stock` a single one can take minutes.
[[nodiscard]] pool_bench_result run_pool_bench(pool_kind kind,
                                               std::size_t workers,
                                               std::size_t queued_actors);

/// Watches a pool of `workers` threads for 3 s while it has nothing to do. The
/// process must have no other active thread. Needs Linux's /proc.
[[nodiscard]] idle_pool_result run_idle_pool_bench(pool_kind kind,
                                                   std::size_t workers);

} // namespace torpor::bench
