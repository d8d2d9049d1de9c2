// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/process_stats.hpp"
#include "cli/seconds.hpp"
#include "cli/status_line.hpp"
#include "torpor/runtime.hpp"

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace torpor {

/// One look at the store.
struct store_look {
  steady::time_point when;
  runtime_stats stats;
  std::uint64_t acknowledged = 0; ///< Appends, by the log of requests.
};

/// What happened between two looks.
struct store_rates {
  double seconds = 0;
  double appends_per_s = 0;
  double commits_per_s = 0;
  double entries_per_commit = 0;

  [[nodiscard]] static store_rates between(const store_look& before,
                                           const store_look& after);
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
