// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <sys/types.h>

namespace torpor {

/// What a process costs, as the kernel says. Times and counts run from its
/// start; threads that have ended are missing in `wakeups`.
struct process_stats {
  std::uint64_t rss_bytes = 0;    ///< Resident, without `shared_bytes`.
  std::uint64_t shared_bytes = 0; ///< Memory shared with another process.
  std::uint64_t cpu_ns = 0;       ///< User and system, all threads.
  std::uint64_t wakeups = 0;      ///< Times that a thread slept, all threads.
  std::uint32_t threads = 0;
  std::uint32_t descriptors = 0;
};

/// Reads the figures of a process of ours; 0 is this one. A process that is
/// gone has zeros. Threads: any.
[[nodiscard]] process_stats read_process_stats(pid_t process = 0);

/// CPU time of the calling thread, user and system. Threads: any.
[[nodiscard]] std::uint64_t thread_cpu_ns();

/// The number behind "key:" in a text like /proc/self/status; 0 if absent.
[[nodiscard]] std::uint64_t status_number(std::string_view status,
                                          std::string_view key);

} // namespace torpor
