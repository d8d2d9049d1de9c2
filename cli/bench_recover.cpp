// SPDX-License-Identifier: Apache-2.0
#include "actors/engine.hpp"
#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/stream_maker.hpp"
#include "cli/child_process.hpp"
#include "cli/data_place.hpp"
#include "cli/interrupt.hpp"
#include "cli/load_generator.hpp"
#include "cli/random_source.hpp"
#include "cli/report.hpp"
#include "cli/status_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <thread>

namespace torpor {

namespace {

constexpr std::uint64_t mib = 1u << 20;

struct recover_parameters {
  std::uint64_t streams = 100'000;
  std::uint64_t tail_mib = 64;
  std::uint32_t entry_bytes = 256;
  std::string data_dir;
  bool json = false;
  std::string role; ///< Hidden: "write" or "open", and tell the parent.
  int channel = -1; ///< Hidden: how.
};

struct recover_figures {
  double start_ms = 0;
  std::uint64_t replayed_entries = 0;
};

/// A checkpoint comes with each new journal file: the tail has to fit into one.
std::uint64_t file_bytes(const recover_parameters& given) {
  return std::clamp((given.tail_mib + 16) * mib, 64 * mib, 1024 * mib);
}

std::uint64_t tail_bytes(const recover_parameters& given) {
  return std::min(given.tail_mib * mib, file_bytes(given) - 8 * mib);
}

result<runtime> open_store(const recover_parameters& given) {
  options how;
  how.data_dir = given.data_dir;
  how.journal.file_bytes = file_bytes(given);
  return runtime::open(std::move(how));
}

/// Closing makes the checkpoint that all of this lies before.
result<std::vector<stream_id>> write_streams(const recover_parameters& given) {
  auto store = open_store(given);
  if (!store)
    return tl::unexpected{store.error()};
  auto ids = make_streams(*store->engine(), given.streams, bench_stream);
  if (!ids)
    return ids;
  return append_to_each(*store->engine(), *ids, as_bytes("before the crash"))
    .map([&] { return std::move(*ids); });
}

result<std::uint64_t> write_tail(const recover_parameters& given,
                                 runtime& store,
                                 const std::vector<stream_id>& streams) {
  const auto pool = random_bytes(mib + given.entry_bytes);
  std::vector<std::unique_ptr<load_source>> sources;
  sources.push_back(std::make_unique<random_source>(streams, pool,
                                                    given.entry_bytes, 1));
  load_generator load{*store.engine(), {}, std::move(sources)};
  std::uint64_t written = 0;
  while (written < tail_bytes(given) && !load.failure()) {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
    written = store.stats().written_bytes;
  }
  load.stop();
  if (const auto why = load.failure())
    return tl::unexpected{*why};
  return store.stats().written_bytes;
}

/// Writes, says how much, and waits for its death with the store open.
int write_for_parent(const recover_parameters& given, channel link) {
  auto streams = write_streams(given);
  if (!streams)
    return link.send(result<std::uint64_t>{tl::unexpected{streams.error()}});
  auto store = open_store(given);
  if (!store)
    return link.send(result<std::uint64_t>{tl::unexpected{store.error()}});
  bool told = link.send(write_tail(given, *store, *streams));
  while (told && link.receive(told))
    ;
  return exit_failure;
}

int open_for_parent(const recover_parameters& given, channel link) {
  const auto start = steady::now();
  const auto store = open_store(given);
  const auto seconds = seconds_since(start);
  const auto figures = store.map([&](const runtime& opened) {
    return recover_figures{seconds * 1e3, opened.stats().replayed_entries};
  });
  return link.send(figures) ? exit_ok : exit_failure;
}

result<child_process> start_child(const recover_parameters& given,
                                  const std::string& directory,
                                  const std::string& role) {
  return child_process::rerun(
    {"bench", "recover", "--streams", fmt::to_string(given.streams),
     "--tail-mib", fmt::to_string(given.tail_mib), "--entry-bytes",
     fmt::to_string(given.entry_bytes), "--data-dir", directory, "--role", role,
     "--channel"});
}

result<report> run_recover(const recover_parameters& given,
                           const data_place& place) {
  status_line progress{stderr, status_line::audience::terminal};
  progress.show(fmt::format("writing {} streams and {} MiB more",
                            grouped(static_cast<double>(given.streams)),
                            given.tail_mib));
  auto writer = start_child(given, place.path(), "write");
  if (!writer)
    return tl::unexpected{writer.error()};
  const auto written = writer->link().receive<std::uint64_t>();
  if (!written)
    return tl::unexpected{written.error()};
  writer->kill();
  progress.show("opening it in a fresh process");
  auto opener = start_child(given, place.path(), "open");
  if (!opener)
    return tl::unexpected{opener.error()};
  return opener->link().receive<recover_figures>().map(
    [&](const recover_figures& figures) {
      return report{}
        .add("start_ms", figures.start_ms)
        .add("replayed_entries", figures.replayed_entries)
        .add("tail_bytes", *written)
        .add("parameters", report{}
                             .add("streams", given.streams)
                             .add("tail_mib", given.tail_mib)
                             .add("entry_bytes",
                                  std::uint64_t{given.entry_bytes})
                             .add("disk", place.disk()));
    });
}

int recover(const recover_parameters& given) {
  if (given.role == "write")
    return write_for_parent(given, channel{descriptor{given.channel}});
  if (given.role == "open")
    return open_for_parent(given, channel{descriptor{given.channel}});
  note_interrupts();
  const auto place = data_place::choose(given.data_dir);
  if (!place)
    return bench_failed(place.error(), given.json);
  const auto figures = run_recover(given, *place);
  if (!figures || interrupted())
    return bench_failed(figures ? error{} : figures.error(), given.json);
  print(*figures, given.json);
  return exit_ok;
}

} // namespace

void add_recover_bench(CLI::App& bench, std::function<int()>& run) {
  auto given = std::make_shared<recover_parameters>();
  auto* app = bench.add_subcommand(
    "recover", "How long a start takes after kill -9 under load");
  add_number(*app, "--streams", given->streams, "Streams with one entry each",
             1, 1e7);
  add_number(*app, "--tail-mib", given->tail_mib,
             "MiB of journal written after the last checkpoint", 1, 1024);
  add_number(*app, "--entry-bytes", given->entry_bytes,
             "Payload of its entries", 0, 1 << 20);
  app
    ->add_option("--data-dir", given->data_dir,
                 "Where; default: a temporary directory below this one")
    ->type_name("DIR");
  app->add_flag("--json", given->json, "One JSON object as the last line");
  app->footer("Example:\n"
              "  torpor bench recover --tail-mib 256");
  app->add_option("--role", given->role)->group("");
  app->add_option("--channel", given->channel)->group("");
  app->callback([given, &run] { run = [given] { return recover(*given); }; });
}

} // namespace torpor
