// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/data_place.hpp"
#include "cli/interrupt.hpp"
#include "cli/latency_histogram.hpp"
#include "cli/report.hpp"
#include "cli/status_line.hpp"
#include "runtime/posix_disk.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace torpor {

namespace {

/// Store and disk take turns, so that a noisy neighbour hits both.
constexpr double slice_seconds = 0.2;

struct latency_parameters {
  double seconds = 10;
  std::uint32_t entry_bytes = 256;
  std::string ack = "durable";
  std::string data_dir;
  bool json = false;
};

/// Does `work` again and again for a slice of time.
template <class Work>
result<void> repeat(latency_histogram& times, Work work) {
  const auto begin = steady::now();
  for (auto start = begin; seconds_since(begin) < slice_seconds;) {
    if (auto done = work(); !done)
      return tl::unexpected{done.error()};
    const auto end = steady::now();
    times.record(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(end - start)
        .count()));
    start = end;
  }
  return {};
}

/// What the disk itself can do: 4 KiB writes with a sync each into a file that
/// was filled with zeros and synced. Threads: one owner.
class raw_file {
public:
  static result<raw_file> make(const std::string& path) {
    auto opened = posix_disk{}.open(path, open_mode::create);
    if (!opened)
      return tl::unexpected{opened.error()};
    const std::vector<std::byte> zeros(file_bytes);
    return (*opened)->write(0, zeros)
      .and_then([&] { return (*opened)->sync(); })
      .map([&] { return raw_file{std::move(*opened)}; });
  }

  result<void> write() {
    const auto offset = std::exchange(next_, (next_ + 4096) % file_bytes);
    return file_->write(offset, block_).and_then([&] { return file_->sync(); });
  }

private:
  static constexpr std::uint64_t file_bytes = 16u << 20;

  explicit raw_file(std::unique_ptr<file> opened)
    : file_(std::move(opened)), block_(4096, std::byte{0x5a}) {}

  std::unique_ptr<file> file_;
  std::vector<std::byte> block_;
  std::uint64_t next_ = 0;
};

struct latency_figures {
  latency_histogram store;
  latency_histogram raw;
};

result<latency_figures> measure(const latency_parameters& given,
                                runtime& store, raw_file& raw) {
  status_line progress{stderr, status_line::audience::terminal};
  const auto payload = random_bytes(given.entry_bytes);
  append_options how;
  how.ack = given.ack == "durable" ? ack::durable : ack::buffered;
  const auto stream = store.stream(bench_stream(0));
  const auto append = [&] {
    return stream.append(as_bytes(payload), how).get();
  };
  const auto write = [&] { return raw.write(); };
  latency_figures figures;
  latency_histogram warm_up;
  auto done = repeat(warm_up, append).and_then([&] {
    return repeat(warm_up, write);
  });
  const auto start = steady::now();
  while (done && seconds_since(start) < given.seconds && !interrupted()) {
    done = repeat(figures.store, append).and_then([&] {
      return repeat(figures.raw, write);
    });
    if (progress.due())
      progress.show(fmt::format("measuring {:.0f} of {:.0f} s",
                                seconds_since(start), given.seconds));
  }
  return done.map([&] { return std::move(figures); });
}

result<latency_figures> run_latency(const latency_parameters& given,
                                    const std::string& directory) {
  auto store = open_bench_store(directory + "/store");
  if (!store)
    return tl::unexpected{store.error()};
  auto raw = raw_file::make(directory + "/raw");
  if (!raw)
    return tl::unexpected{raw.error()};
  return measure(given, *store, *raw);
}

int latency(const latency_parameters& given) {
  note_interrupts();
  const auto place = data_place::choose(given.data_dir);
  if (!place)
    return bench_failed(place.error(), given.json);
  const auto figures = run_latency(given, place->path());
  if (!figures || interrupted())
    return bench_failed(figures ? error{} : figures.error(), given.json);
  const auto us = [](const latency_histogram& times, double share) {
    return static_cast<double>(times.at(share)) / 1e3;
  };
  report out;
  out.add("p50_us", us(figures->store, 0.5))
    .add("p99_us", us(figures->store, 0.99))
    .add("raw_p50_us", us(figures->raw, 0.5))
    .add("raw_p99_us", us(figures->raw, 0.99))
    .add("p50_ratio", us(figures->store, 0.5) / us(figures->raw, 0.5))
    .add("appends", figures->store.count())
    .add("raw_writes", figures->raw.count())
    .add("parameters", report{}
                         .add("seconds", given.seconds)
                         .add("entry_bytes", std::uint64_t{given.entry_bytes})
                         .add("ack", given.ack)
                         .add("disk", place->disk()));
  print(out, given.json);
  return exit_ok;
}

} // namespace

void add_latency_bench(CLI::App& bench, std::function<int()>& run) {
  auto given = std::make_shared<latency_parameters>();
  auto* app = bench.add_subcommand(
    "latency", "One append at a time, beside the disk's own speed");
  add_number(*app, "--seconds", given->seconds, "Time, half of it for the disk",
             0.1, 86400);
  add_number(*app, "--entry-bytes", given->entry_bytes, "Payload of an entry",
             0, 1 << 24);
  add_choice<std::string>(*app, "--ack", given->ack,
                          {{"buffered", "buffered"}, {"durable", "durable"}},
                          "When an append is acknowledged (default: durable)");
  app
    ->add_option("--data-dir", given->data_dir,
                 "Where; default: a temporary directory below this one")
    ->type_name("DIR");
  app->add_flag("--json", given->json, "One JSON object as the last line");
  app->footer("Example:\n"
              "  torpor bench latency --seconds 5");
  app->callback([given, &run] { run = [given] { return latency(*given); }; });
}

} // namespace torpor
