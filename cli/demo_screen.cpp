// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_screen.hpp"

#include "cli/human.hpp"
#include "cli/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

store_rates store_rates::between(const store_look& before,
                                 const store_look& after) {
  const auto seconds = seconds_between(before.when, after.when);
  const auto appends
    = static_cast<double>(after.acknowledged - before.acknowledged);
  const auto commits
    = static_cast<double>(after.stats.commits - before.stats.commits);
  return {seconds, appends / seconds, commits / seconds,
          appends / std::max(commits, 1.0)};
}

void demo_screen::say(std::string_view step, std::string_view text) {
  line_.clear();
  fmt::print(out_, "  {:<9} {}\n", step, text);
  std::fflush(out_);
}

std::string burst_line(std::uint64_t streams, const runtime_stats& stats,
                       const store_rates& rates,
                       const process_stats& process) {
  const auto dormant = streams - std::min(streams, stats.awake);
  return fmt::format(
    "{} dormant {} awake | {} appends/s | {} commits/s of {:.0f} | {} | {} "
    "threads",
    grouped(static_cast<double>(dormant)),
    grouped(static_cast<double>(stats.awake)), grouped(rates.appends_per_s),
    grouped(rates.commits_per_s), rates.entries_per_commit,
    human_bytes(static_cast<double>(process.rss_bytes)), process.threads);
}

} // namespace torpor
