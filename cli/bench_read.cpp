// SPDX-License-Identifier: Apache-2.0
#include "actors/engine.hpp"
#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/data_place.hpp"
#include "cli/interrupt.hpp"
#include "cli/read_load.hpp"
#include "cli/report.hpp"
#include "cli/status_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>

namespace torpor {

namespace {

struct read_parameters {
  read_load load;
  std::uint64_t journal_file_bytes = 64u << 20;
  double seconds = 3;
  std::string data_dir;
  bool json = false;
};

/// Either warm or cold.
struct read_figures {
  scan_figures all;
  scan_figures single;
  point_figures points;
};

/// What lies on the disk when it is read.
struct shape {
  std::uint64_t segments = 0;
  std::uint64_t segment_bytes = 0;
  std::uint64_t journal_bytes = 0;
};

/// One run in an empty directory. Threads: one owner.
class read_run {
public:
  read_run(const read_parameters& given, const data_place& place)
    : given_{given},
      place_{place} {
    how_.data_dir = place.path();
    how_.journal.file_bytes = given.journal_file_bytes;
  }

  result<report> run() {
    return fill_store()
      .and_then([&] { return measure_warm(); })
      .and_then([&] { return measure_cold(); })
      .map([&] { return figures(); });
  }

private:
  /// A store that is filled, closed and opened again has a journal, too: less
  /// than a file is not sealed.
  result<void> fill_store() {
    progress_.show(fmt::format(
      "writing {} MiB",
      grouped(static_cast<double>(given_.load.total_bytes() >> 20))));
    return read_bench_store::open(how_).and_then([&](read_bench_store store) {
      return fill(given_.load, store.engine()).and_then([&] {
        return store.settle();
      });
    });
  }

  result<void> measure_warm() {
    progress_.show("reading, warm");
    return read_bench_store::open(how_).and_then([&](read_bench_store store) {
      return scan_all(given_.load, store) // Warms up.
        .and_then([&](scan_figures) { return best_scans(store); })
        .and_then([&] {
          return read_points(given_.load, store, given_.seconds, false);
        })
        .map([&](point_figures points) { warm_.points = std::move(points); });
    });
  }

  /// Scans again and again; the fastest counts.
  result<void> best_scans(const read_bench_store& store) {
    const auto begin = steady::now();
    do {
      const auto all = scan_all(given_.load, store);
      const auto single = all ? scan_long(given_.load, store) : all;
      if (!single)
        return tl::unexpected{single.error()};
      warm_.all = std::max(warm_.all, *all, slower);
      warm_.single = std::max(warm_.single, *single, slower);
    } while (seconds_since(begin) < given_.seconds);
    return {};
  }

  result<void> measure_cold() {
    progress_.show("reading, cold");
    drop_page_cache(place_.path());
    return read_bench_store::open(how_).and_then([&](read_bench_store store) {
      note_shape(store.engine().opened());
      drop_page_cache(place_.path());
      return scan_all(given_.load, store)
        .and_then([&](scan_figures all) {
          cold_.all = all;
          drop_page_cache(place_.path());
          return scan_long(given_.load, store);
        })
        .and_then([&](scan_figures single) {
          cold_.single = single;
          return read_points(given_.load, store, given_.seconds, true);
        })
        .map([&](point_figures points) { cold_.points = std::move(points); });
    });
  }

  void note_shape(const store& opened) {
    shape_.segments = opened.state.segments.size();
    for (const auto& each : opened.state.segments)
      shape_.segment_bytes += each.file_bytes;
    shape_.journal_bytes = opened.scan.bytes;
  }

  static bool slower(const scan_figures& one, const scan_figures& other) {
    return one.seconds == 0
           || (other.seconds > 0 && one.mib_per_s() < other.mib_per_s());
  }

  static void add(report& out, const std::string& how,
                  const read_figures& found) {
    const auto us = [&](double share) {
      return static_cast<double>(found.points.times.at(share)) / 1e3;
    };
    const auto mib = static_cast<double>(found.all.bytes) / (1 << 20);
    out.add(how + "_mib_per_s", found.all.mib_per_s())
      .add(how + "_cpu_us_per_mib", found.all.cpu_seconds * 1e6 / mib)
      .add(how + "_stream_mib_per_s", found.single.mib_per_s())
      .add(how + "_p50_us", us(0.5))
      .add(how + "_p99_us", us(0.99))
      .add(how + "_reads", found.points.times.count());
  }

  [[nodiscard]] report figures() const {
    report out;
    add(out, "warm", warm_);
    add(out, "cold", cold_);
    const auto& points = cold_.points;
    const auto per_read = [&](std::uint64_t sum) {
      return static_cast<double>(sum)
             / static_cast<double>(points.times.count());
    };
    out.add("segments_touched", per_read(points.segments))
      .add("segments_touched_max", points.segments_max)
      .add("disk_reads", per_read(points.reads))
      .add("disk_reads_max", points.reads_max)
      .add("payload_bytes", given_.load.total_bytes())
      .add("segments", shape_.segments)
      .add("segment_bytes", shape_.segment_bytes)
      .add("journal_bytes", shape_.journal_bytes)
      .add("parameters", parameters());
    return out;
  }

  [[nodiscard]] report parameters() const {
    const auto& load = given_.load;
    return report{}
      .add("streams", load.streams)
      .add("entries", load.entries)
      .add("entry_bytes", std::uint64_t{load.entry_bytes})
      .add("long_mib", load.long_mib)
      .add("payload", load.payload)
      .add("journal_file_bytes", given_.journal_file_bytes)
      .add("seconds", given_.seconds)
      .add("disk", place_.disk());
  }

  const read_parameters& given_;
  const data_place& place_;
  options how_;
  status_line progress_{stderr, status_line::audience::terminal};
  read_figures warm_;
  read_figures cold_;
  shape shape_;
};

int read(const read_parameters& given) {
  note_interrupts();
  const auto place = data_place::choose(given.data_dir);
  if (!place)
    return bench_failed(place.error(), given.json);
  const auto figures = read_run{given, *place}.run();
  if (!figures || interrupted())
    return bench_failed(figures ? error{} : figures.error(), given.json);
  print(*figures, given.json);
  return exit_ok;
}

} // namespace

void add_read_bench(CLI::App& bench, std::function<int()>& run) {
  auto given = std::make_shared<read_parameters>();
  auto* app = bench.add_subcommand(
    "read", "Reads streams from end to end, and single old entries");
  const auto number = [app](const char* option, auto& value, const char* text,
                            double least, double most) {
    add_number(*app, option, value, text, least, most);
  };
  auto& load = given->load;
  number("--streams", load.streams, "Streams that take turns", 1, 1e7);
  number("--entries", load.entries, "Entries of each", 1, 1e6);
  number("--entry-bytes", load.entry_bytes, "Payload of an entry", 1, 1 << 20);
  number("--long-mib", load.long_mib, "MiB of one more, long stream", 1, 65536);
  add_choice<std::string>(*app, "--payload", load.payload,
                          {{"text", "text"}, {"random", "random"}},
                          "What entries hold (default: text, as in logs)");
  number("--journal-file-bytes", given->journal_file_bytes,
         "Size of journal files: smaller ones make more segments", 65536,
         1 << 30);
  number("--seconds", given->seconds,
         "Time of each measurement, after the first full scan", 0.01, 86400);
  app
    ->add_option("--data-dir", given->data_dir,
                 "Where; default: a temporary directory below this one")
    ->type_name("DIR");
  app->add_flag("--json", given->json, "One JSON object as the last line");
  app->footer("Examples:\n"
              "  torpor bench read\n"
              "  torpor bench read --streams 100000 --entries 100 --json");
  app->callback([given, &run] { run = [given] { return read(*given); }; });
}

} // namespace torpor
