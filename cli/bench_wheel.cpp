// SPDX-License-Identifier: Apache-2.0
#include "bench/wheel_bench.hpp"

#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/report.hpp"
#include "cli/status_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace torpor {

namespace {

struct wheel_parameters {
  std::vector<std::uint64_t> timers{10'000, 100'000, 1'000'000};
  bool json = false;
};

int wheel(const wheel_parameters& given) {
  status_line progress{stderr, status_line::audience::terminal};
  std::vector<report> runs;
  for (const auto timers : given.timers) {
    progress.show(fmt::format("{} timers", timers));
    const auto figures = bench::run_wheel_bench(timers);
    runs.push_back(report{}
                     .add("timers", std::uint64_t{figures.timers})
                     .add("arm_ns", figures.arm_ns)
                     .add("cancel_ns", figures.cancel_ns)
                     .add("fire_ns", figures.fire_ns)
                     .add("bytes_per_timer", figures.bytes_per_timer));
  }
  progress.clear();
  print(report{}.add("runs", runs), given.json);
  return exit_ok;
}

} // namespace

void add_wheel_bench(CLI::App& bench, std::function<int()>& run) {
  auto given = std::make_shared<wheel_parameters>();
  auto* app = bench.add_subcommand("wheel", "What one timer costs among many");
  add_number(*app, "--timers", given->timers, "Timers armed at once", 1, 1e8)
    ->type_name("N,...")
    ->delimiter(',');
  app->add_flag("--json", given->json, "One JSON object as the last line");
  app->footer("Example:\n"
              "  torpor bench wheel --timers 10000,1000000");
  app->callback([given, &run] { run = [given] { return wheel(*given); }; });
}

} // namespace torpor
