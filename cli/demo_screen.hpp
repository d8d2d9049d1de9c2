// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/process_stats.hpp"
#include "cli/status_line.hpp"
#include "torpor/runtime.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace torpor {

/// Figures of the store between two looks at it.
struct store_rates {
  double appends_per_s = 0;
  double commits_per_s = 0;
  double entries_per_commit = 0;

  [[nodiscard]] static store_rates between(const runtime_stats& before,
                                           const runtime_stats& after,
                                           double seconds);
};

/// What the demo tells the one who watches it. Threads: one owner.
class demo_screen {
public:
  explicit demo_screen(std::FILE* out)
    : out_(out), line_(out, status_line::audience::anybody) {}

  /// A line that stays: "  append    text".
  void say(std::string_view step, std::string_view text);
  /// The line that is written over.
  void show(std::string_view text) { line_.show(text); }
  [[nodiscard]] bool due() const { return line_.due(); }

private:
  std::FILE* out_;
  status_line line_;
};

/// The status line during a burst.
[[nodiscard]] std::string burst_line(std::uint64_t streams,
                                     const runtime_stats& stats,
                                     const store_rates& rates,
                                     const process_stats& process);

} // namespace torpor
