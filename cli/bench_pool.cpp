// SPDX-License-Identifier: Apache-2.0
#include "bench/pool_bench.hpp"

#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/report.hpp"
#include "cli/status_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <thread>

namespace torpor {

namespace {

using bench::pool_kind;

constexpr pool_kind compared[] = {pool_kind::ours, pool_kind::stock};

struct pool_parameters {
  std::vector<std::uint64_t> actors{1'000, 10'000, 100'000, 300'000};
  std::uint32_t workers = std::clamp(std::thread::hardware_concurrency(), 1u,
                                     4u)
                          * 2;
  bool json = false;
};

report measure_idle(const pool_parameters& given, pool_kind kind) {
  const auto idle = bench::run_idle_pool_bench(kind, given.workers);
  return report{}
    .add("pool", bench::to_string(kind))
    .add("wakeups_per_s", idle.wakeups_per_s)
    .add("cpu_percent", idle.cpu_percent);
}

report measure_cycles(const pool_parameters& given, pool_kind kind,
                      std::uint64_t actors) {
  const auto cycle = bench::run_pool_bench(kind, given.workers, actors);
  return report{}
    .add("pool", bench::to_string(kind))
    .add("queued_actors", actors)
    .add("cycle_us", cycle.cycle_us)
    .add("cpu_us", cycle.cpu_us)
    .add("repetitions", std::uint64_t{cycle.repetitions});
}

int pool(const pool_parameters& given) {
  status_line progress{stderr, status_line::audience::terminal};
  std::vector<report> idle;
  std::vector<report> runs;
  for (const auto kind : compared) {
    progress.show(fmt::format("{}, idle", bench::to_string(kind)));
    idle.push_back(measure_idle(given, kind));
  }
  for (const auto actors : given.actors)
    for (const auto kind : compared) {
      progress.show(fmt::format("{}, {} queued actors", bench::to_string(kind),
                                actors));
      runs.push_back(measure_cycles(given, kind, actors));
    }
  progress.clear();
  print(report{}
          .add("runs", runs)
          .add("idle", idle)
          .add("parameters",
               report{}.add("workers", std::uint64_t{given.workers})),
        given.json);
  return exit_ok;
}

} // namespace

void add_pool_bench(CLI::App& bench, std::function<int()>& run) {
  auto given = std::make_shared<pool_parameters>();
  auto* app = bench.add_subcommand(
    "pool", "Torpor's work stealing beside CAF's own: takes minutes");
  add_number(*app, "--actors", given->actors, "Actors queued at once", 1, 1e7)
    ->type_name("N,...")
    ->delimiter(',');
  add_number(*app, "--workers", given->workers, "Threads of the pool", 1, 64);
  app->add_flag("--json", given->json, "One JSON object as the last line");
  app->footer("Example:\n"
              "  torpor bench pool --actors 10000");
  app->callback([given, &run] { run = [given] { return pool(*given); }; });
}

} // namespace torpor
