// SPDX-License-Identifier: Apache-2.0
#include "actors/engine.hpp"
#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/stream_maker.hpp"
#include "cli/data_place.hpp"
#include "cli/interrupt.hpp"
#include "cli/load_generator.hpp"
#include "cli/process_stats.hpp"
#include "cli/random_source.hpp"
#include "cli/report.hpp"
#include "cli/status_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace torpor {

namespace {

struct ingest_parameters {
  std::uint64_t streams = 100'000;
  std::uint32_t entry_bytes = 256;
  std::uint32_t batch = 256;
  std::uint32_t producers = 1;
  double seconds = 10;
  double warm_up = 1;
  std::string ack = "durable";
  std::uint64_t in_flight = 4096;
  std::string data_dir;
  bool json = false;
};

/// The counters at one moment.
struct snapshot {
  runtime_stats store;
  process_stats process;
};

snapshot take_snapshot(const runtime& store) {
  return {store.stats(), read_process_stats()};
}

report to_report(const ingest_parameters& given, const std::string& disk) {
  report parameters;
  parameters.add("streams", given.streams)
    .add("entry_bytes", std::uint64_t{given.entry_bytes})
    .add("batch", std::uint64_t{given.batch})
    .add("producers", std::uint64_t{given.producers})
    .add("seconds", given.seconds)
    .add("warm_up", given.warm_up)
    .add("ack", given.ack)
    .add("in_flight", given.in_flight)
    .add("disk", disk);
  return parameters;
}

/// One run, from an open store on.
class ingest_run {
public:
  ingest_run(const ingest_parameters& given, runtime& store)
    : given_(given), store_(store), progress_(stderr,
                                              status_line::audience::terminal),
      pool_(random_bytes((1u << 20) + given.entry_bytes)) {}

  result<report> run(const std::string& disk) {
    progress_.show("creating streams");
    const auto start = steady::now();
    auto made = make_streams(*store_.engine(), given_.streams, bench_stream);
    if (!made)
      return tl::unexpected{made.error()};
    streams_ = std::move(*made);
    create_s_ = seconds_since(start);
    return load().map([&] { return figures(disk); });
  }

private:
  result<void> load() {
    std::vector<std::unique_ptr<load_source>> sources;
    for (std::uint32_t i = 0; i < given_.producers; ++i)
      sources.push_back(std::make_unique<random_source>(
        streams_, pool_, given_.entry_bytes, i + 1));
    load_options how;
    how.batch_max = given_.batch;
    how.in_flight = given_.in_flight;
    how.ack = given_.ack == "durable" ? ack::durable : ack::buffered;
    load_.emplace(*store_.engine(), how, std::move(sources));
    watch(given_.warm_up, "warming up");
    before_ = take_snapshot(store_);
    load_->measure();
    watch(given_.seconds, "measuring");
    after_ = take_snapshot(store_);
    load_->stop();
    progress_.clear();
    if (interrupted())
      return fail(errc::shut_down, "interrupted");
    if (const auto why = load_->failure())
      return tl::unexpected{*why};
    return {};
  }

  void watch(double seconds, std::string_view what) {
    const auto start = steady::now();
    auto last = load_->acknowledged();
    for (double now = 0; now < seconds && !interrupted();
         now = seconds_since(start)) {
      const auto slice = std::min(seconds - now, 0.5);
      wait_for(std::chrono::duration<double>{slice});
      const auto acked = load_->acknowledged();
      if (progress_.due())
        progress_.show(fmt::format(
          "{} {:.0f} of {:.0f} s, {} appends/s", what, seconds_since(start),
          seconds, grouped(static_cast<double>(acked - last) / slice)));
      last = acked;
    }
  }

  [[nodiscard]] report figures(const std::string& disk) const {
    const auto seconds = load_->seconds();
    const auto latencies = load_->latencies();
    const auto appends = static_cast<double>(latencies.count());
    const auto us = [&](double share) {
      return static_cast<double>(latencies.at(share)) / 1e3;
    };
    const auto grown = [&](auto figure) {
      return after_.store.*figure - before_.store.*figure;
    };
    const auto commits = grown(&runtime_stats::commits);
    const auto cpu_ns = after_.process.cpu_ns - before_.process.cpu_ns;
    report out;
    out.add("appends_per_s", appends / seconds)
      .add("mib_per_s", appends / seconds * given_.entry_bytes / (1 << 20))
      .add("cpu_us_per_append", static_cast<double>(cpu_ns) / 1e3 / appends)
      .add("producer_cpu_us_per_append",
           static_cast<double>(load_->cpu_ns()) / 1e3
             / static_cast<double>(load_->acknowledged()))
      .add("p50_us", us(0.5))
      .add("p99_us", us(0.99))
      .add("p999_us", us(0.999))
      .add("commits", commits)
      .add("blocks_per_commit",
           static_cast<double>(grown(&runtime_stats::blocks))
             / static_cast<double>(std::max<std::uint64_t>(commits, 1)))
      .add("acked_bytes", grown(&runtime_stats::acked_bytes))
      .add("written_bytes", grown(&runtime_stats::written_bytes))
      .add("wakes", grown(&runtime_stats::wakes))
      .add("hibernates", grown(&runtime_stats::hibernates))
      .add("rss_bytes", after_.process.rss_bytes)
      .add("threads", std::uint64_t{after_.process.threads})
      .add("errors", load_->errors())
      .add("create_s", create_s_)
      .add("parameters", to_report(given_, disk));
    return out;
  }

  const ingest_parameters& given_;
  runtime& store_;
  status_line progress_;
  std::string pool_; ///< Payloads are cut out of it.
  std::vector<stream_id> streams_;
  double create_s_ = 0;
  std::optional<load_generator> load_;
  snapshot before_;
  snapshot after_;
};

int ingest(const ingest_parameters& given) {
  if (given.in_flight < given.producers)
    return bench_failed({errc::invalid_argument,
                         "--in-flight must be at least --producers"},
                        given.json);
  note_interrupts();
  const auto place = data_place::choose(given.data_dir, true);
  if (!place)
    return bench_failed(place.error(), given.json);
  auto store = open_bench_store(place->path());
  if (!store)
    return bench_failed(store.error(), given.json);
  const auto disk = place->disk();
  const auto figures = ingest_run{given, *store}.run(disk);
  if (!figures)
    return bench_failed(figures.error(), given.json);
  print(*figures, given.json);
  return exit_ok;
}

} // namespace

void add_ingest_bench(CLI::App& bench, std::function<int()>& run) {
  auto given = std::make_shared<ingest_parameters>();
  auto* app = bench.add_subcommand(
    "ingest", "Appends to random streams, as fast as they are acknowledged");
  const auto number = [app](const char* option, auto& value, const char* text,
                            double least, double most) {
    add_number(*app, option, value, text, least, most);
  };
  number("--streams", given->streams, "Streams, made beforehand", 1, 1e7);
  number("--entry-bytes", given->entry_bytes, "Payload of an entry", 0,
         1 << 24);
  number("--batch", given->batch, "Appends in one message at most", 1, 65536);
  number("--producers", given->producers, "Threads that append", 1, 64);
  number("--seconds", given->seconds, "Measured time", 0.1, 86400);
  number("--warm-up", given->warm_up, "Time before it", 0, 3600);
  number("--in-flight", given->in_flight, "Appends without an answer, in all",
         1, 1 << 20);
  add_choice<std::string>(*app, "--ack", given->ack,
                          {{"buffered", "buffered"}, {"durable", "durable"}},
                          "When an append is acknowledged (default: durable)");
  app
    ->add_option("--data-dir", given->data_dir,
                 "Where; default: a temporary directory below this one")
    ->type_name("DIR");
  app->add_flag("--json", given->json, "One JSON object as the last line");
  app->footer("Example:\n"
              "  torpor bench ingest --streams 100000 --in-flight 4096");
  app->callback([given, &run] { run = [given] { return ingest(*given); }; });
}

} // namespace torpor
