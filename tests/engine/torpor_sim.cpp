// SPDX-License-Identifier: Apache-2.0
// torpor-sim: plays seeds of the simulated store until some lose something.
#include "tests/engine/campaign.hpp"

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace {

using torpor::test::campaign;
using torpor::test::happening_names;
using torpor::test::play;
using torpor::test::seed_list;

constexpr auto about
  = R"(Plays random workloads against the whole engine on a simulated disk, clock and
scheduler. A seed decides everything: what is asked, in which order messages are
handled, which calls fail, where the power goes and what the disk keeps of what
was not synced, and how the clock is set. After every crash all that was
acknowledged has to be there, and nothing else but whole requests that nobody was
told about. In the end some disks lie: what was acknowledged before is there then,
or its loss is named.

A seed that fails is told at once; the first of them is played again at the end,
and its trace printed: every request, answer and call of the disk. A run of 1,000
seeds or more fails, too, when some kind of fault never happened.

  torpor-sim                       the seeds of the test run
  torpor-sim --seeds 1..1000000    before a release: half an hour on two cores
  torpor-sim --seeds 4711 --trace  one seed, step by step
  torpor-sim --seeds @FILE         those that are listed, one a line

Exit code: 0 nothing was lost, 1 a seed failed or a fault never happened, 2 wrong
usage.)";

void show_counts(const campaign& all) {
  for (std::size_t i = 0; i < happening_names.size(); ++i)
    fmt::print("{:>10}  {}\n", all.count(i), happening_names[i]);
}

int report_failures(const campaign& all) {
  const auto& [seed, wrong] = *all.failures().begin();
  const auto again = play(seed, true);
  fmt::print("{}seed {}: {}\n", again.trace, seed, wrong);
  if (again.wrong != wrong)
    fmt::print("Played again: {}\n",
               again.wrong.empty() ? "nothing is wrong" : again.wrong);
  fmt::print("{} seeds, {} failed\n", all.done(), all.failures().size());
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{about, "torpor-sim"};
  std::string seeds_text = "1..10000";
  auto jobs = std::max(1U, std::thread::hardware_concurrency());
  std::uint64_t failures_max = 10;
  auto traced = false;
  auto twice = false;
  auto counted = false;
  app.add_option("--seeds", seeds_text, "A..B, one, or @FILE")
    ->capture_default_str();
  app.add_option("--jobs", jobs, "Threads that play (default: one a core)")
    ->check(CLI::Range(1, 1024));
  app.add_option("--failures", failures_max, "End when so many have failed")
    ->capture_default_str()
    ->check(CLI::Range(1, 1'000'000));
  app.add_flag("--trace", traced, "Print the trace of a single seed");
  app.add_flag("--twice", twice,
               "Play each seed twice and demand the same trace");
  app.add_flag("--count", counted,
               "Print in how many seeds each kind of fault happened");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : 2;
  }
  const auto seeds = seed_list::parse(seeds_text);
  if (!seeds || (traced && seeds->size() != 1)) {
    fmt::print(stderr, "torpor-sim: {}\n",
               seeds ? "--trace is for one seed: --seeds N"
               : seeds_text.starts_with('@')
                 ? "--seeds " + seeds_text
                     + ": that file cannot be read, has no seed, or a line that "
                       "begins with none"
                 : "--seeds is A..B, a number or @FILE, such as 1..10000");
    return 2;
  }
  const auto started = std::chrono::steady_clock::now();
  campaign all{*seeds, twice, failures_max};
  all.run(jobs);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now()
                                             - started;
  if (counted)
    show_counts(all);
  if (!all.failures().empty())
    return report_failures(all);
  if (traced)
    fmt::print("{}", play((*seeds)[0], true).trace);
  const auto missing = all.missing();
  for (const auto& name : missing)
    fmt::print("never happened: {}\n", name);
  fmt::print("{} seeds, {:.1f} s, {:.0f}/s: nothing was lost\n", all.done(),
             took.count(), static_cast<double>(all.done()) / took.count());
  return missing.empty() ? 0 : 1;
}
