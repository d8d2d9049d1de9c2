// SPDX-License-Identifier: Apache-2.0
#include "actors/engine.hpp"
#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/stream_maker.hpp"
#include "cli/child_process.hpp"
#include "cli/data_place.hpp"
#include "cli/interrupt.hpp"
#include "cli/process_stats.hpp"
#include "cli/report.hpp"
#include "cli/status_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace torpor {

namespace {

/// Until what a start leaves to be done is done: the mark that ends the
/// journal is written after a second of silence.
constexpr std::chrono::seconds settle_time{2};

struct idle_parameters {
  std::uint64_t streams = 1'000'000;
  double seconds = 10;
  std::string data_dir;
  bool json = false;
  int channel = -1; ///< Hidden: measure, and tell the parent.
};

/// What the fresh process measures.
struct idle_figures {
  double start_ms = 0;
  double cpu_percent = 0; ///< Of one core.
  double wakeups_per_s = 0;
  process_stats process;
};

result<void> write_store(const std::string& directory, std::uint64_t streams) {
  auto store = open_bench_store(directory);
  if (!store)
    return tl::unexpected{store.error()};
  auto& engine = *store->engine();
  return make_streams(engine, streams, bench_stream)
    .and_then([&](const std::vector<stream_id>& ids) {
      return append_to_each(engine, ids, as_bytes("one entry and then silence"));
    });
}

result<idle_figures> measure(const idle_parameters& given) {
  const auto start = steady::now();
  auto store = open_bench_store(given.data_dir);
  idle_figures figures;
  figures.start_ms = seconds_since(start) * 1e3;
  if (!store)
    return tl::unexpected{store.error()};
  wait_for(settle_time);
  const auto begin = steady::now();
  const auto before = read_process_stats();
  // In one piece: a look around now and then would be a wake-up.
  std::this_thread::sleep_for(std::chrono::duration<double>{given.seconds});
  figures.process = read_process_stats();
  const auto seconds = seconds_since(begin);
  figures.cpu_percent
    = static_cast<double>(figures.process.cpu_ns - before.cpu_ns) / 1e7
      / seconds;
  // The one of the sleep above is not the store's.
  const auto wakeups = figures.process.wakeups - before.wakeups;
  figures.wakeups_per_s
    = static_cast<double>(wakeups - std::min<std::uint64_t>(wakeups, 1))
      / seconds;
  return figures;
}

int measure_for_parent(const idle_parameters& given) {
  channel link{descriptor{given.channel}};
  return link.send(measure(given)) ? exit_ok : exit_failure;
}

result<idle_figures> run_idle(const idle_parameters& given,
                              const std::string& directory) {
  status_line progress{stderr, status_line::audience::terminal};
  progress.show(fmt::format("writing {} streams",
                            grouped(static_cast<double>(given.streams))));
  if (auto written = write_store(directory, given.streams); !written)
    return tl::unexpected{written.error()};
  progress.show("measuring a fresh process");
  auto child = child_process::rerun(
    {"bench", "idle", "--streams", fmt::to_string(given.streams), "--seconds",
     fmt::to_string(given.seconds), "--data-dir", directory, "--channel"});
  if (!child)
    return tl::unexpected{child.error()};
  return child->link().receive<idle_figures>();
}

int idle(const idle_parameters& given) {
  if (given.channel >= 0)
    return measure_for_parent(given);
  note_interrupts();
  const auto place = data_place::choose(given.data_dir);
  if (!place)
    return bench_failed(place.error(), given.json);
  const auto figures = run_idle(given, place->path());
  if (!figures || interrupted())
    return bench_failed(figures ? error{} : figures.error(), given.json);
  report out;
  out.add("start_ms", figures->start_ms)
    .add("rss_bytes", figures->process.rss_bytes)
    .add("cpu_percent", figures->cpu_percent)
    .add("wakeups_per_s", figures->wakeups_per_s)
    .add("threads", std::uint64_t{figures->process.threads})
    .add("fds", std::uint64_t{figures->process.descriptors})
    .add("parameters", report{}
                         .add("streams", given.streams)
                         .add("seconds", given.seconds)
                         .add("disk", place->disk()));
  print(out, given.json);
  return exit_ok;
}

} // namespace

void add_idle_bench(CLI::App& bench, std::function<int()>& run) {
  auto given = std::make_shared<idle_parameters>();
  auto* app = bench.add_subcommand(
    "idle", "What a fresh process with many dormant streams costs");
  add_number(*app, "--streams", given->streams, "Streams with one entry each",
             1, 1e7);
  add_number(*app, "--seconds", given->seconds, "Measured time", 0.1, 86400);
  app
    ->add_option("--data-dir", given->data_dir,
                 "Where; default: a temporary directory below this one")
    ->type_name("DIR");
  app->add_flag("--json", given->json, "One JSON object as the last line");
  app->footer("Example:\n"
              "  torpor bench idle --streams 100000");
  app->add_option("--channel", given->channel)->group("");
  app->callback([given, &run] { run = [given] { return idle(*given); }; });
}

} // namespace torpor
