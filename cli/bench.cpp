// SPDX-License-Identifier: Apache-2.0
#include "cli/bench.hpp"

#include "cli/interrupt.hpp"
#include "cli/load_generator.hpp"
#include "cli/outcome.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace torpor {

int bench_failed(const error& why, bool json) {
  if (interrupted())
    return exit_interrupted;
  print_error(json, why);
  return why.code == errc::invalid_argument ? exit_usage : exit_failure;
}

std::string bench_stream(std::uint64_t number) {
  return fmt::format("bench/{:07}", number);
}

result<runtime> open_bench_store(const std::string& directory) {
  options given;
  given.data_dir = directory;
  return runtime::open(std::move(given));
}

std::string random_bytes(std::size_t bytes) {
  std::string text(bytes, '\0');
  quick_random random{1};
  for (auto& each : text)
    each = static_cast<char>(random.below(256));
  return text;
}

void add_bench(CLI::App& app, std::function<int()>& run) {
  auto* bench = app.add_subcommand("bench", "Measures this build here");
  bench->require_subcommand(1);
  bench->footer(
    "docs/bench.md says what each measures and what its keys mean.\n"
    "Example:\n"
    "  torpor bench latency --seconds 5");
  add_ingest_bench(*bench, run);
  add_http_bench(*bench, run);
  add_idle_bench(*bench, run);
  add_read_bench(*bench, run);
  add_recover_bench(*bench, run);
  add_latency_bench(*bench, run);
  add_wheel_bench(*bench, run);
  add_pool_bench(*bench, run);
}

} // namespace torpor
