// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/commands.hpp"
#include "cli/data_place.hpp"
#include "cli/demo_run.hpp"
#include "cli/human.hpp"
#include "cli/interrupt.hpp"
#include "cli/report.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace torpor {

namespace {

namespace fs = std::filesystem;

struct demo_parameters {
  double seconds = 10;
  std::uint32_t streams = 100'000;
  std::string data_dir;
  std::string source;
  bool keep = false;
  bool json = false;
};

constexpr std::uint64_t free_bytes_min = 512ull << 20;
/// More appends per second than any machine makes of this.
constexpr double rate_max = 2e6;
/// What the log of requests takes at most: 1.1 GiB.
constexpr std::size_t requests_max = 100'000'000;

/// The project's own directory, above this program or above where we are;
/// empty if this is neither in a build nor in the source.
std::string project_directory() {
  std::error_code failed;
  const auto program = fs::read_symlink("/proc/self/exe", failed);
  for (auto at : {program.parent_path(), fs::current_path(failed)})
    for (; at.has_relative_path(); at = at.parent_path())
      if (fs::exists(at / "include/torpor/torpor.hpp", failed))
        return at.string();
  return {};
}

/// So many that they fit into half of the free space with what the journal
/// adds to each.
result<request_log> make_log(const demo_parameters& given,
                             const line_stock& lines, const data_place& place) {
  const auto free = place.free_bytes();
  if (free < free_bytes_min)
    return fail(errc::io_failed,
                fmt::format("'{}' has {} free, the demo needs {}; name a "
                            "directory on another disk by --data-dir",
                            place.path(), human_bytes(static_cast<double>(free)),
                            human_bytes(static_cast<double>(free_bytes_min))));
  constexpr std::uint64_t overhead_bytes = 200;
  const auto entry_bytes = lines.bytes() / lines.lines() + overhead_bytes;
  const auto wanted = static_cast<std::size_t>(rate_max * (given.seconds + 2));
  return request_log::make(
    std::min({wanted, requests_max, free / 2 / entry_bytes}));
}

/// The steps, once there is something to append and somewhere to put it.
result<bool> run_demo(const demo_parameters& given, data_place& place,
                      demo_screen& screen, report& figures) {
  const auto lines = line_stock::gather(
    given.source.empty() ? project_directory() : given.source);
  if (!lines)
    return tl::unexpected{lines.error()};
  auto log = make_log(given, *lines, place);
  if (!log)
    return tl::unexpected{log.error()};
  const demo_world world{place.path(), given.streams, *lines, *log};
  screen.say("lines", fmt::format("{} from {} files of this machine",
                                  grouped(lines->lines()),
                                  grouped(static_cast<double>(
                                    lines->files().size()))));
  screen.say("store", fmt::format("{} on {}", place.path(), place.disk()));
  demo_run run{world, given.seconds, screen};
  run.figures()
    .add("streams", std::uint64_t{given.streams})
    .add("lines", std::uint64_t{lines->lines()})
    .add("files", std::uint64_t{lines->files().size()})
    .add("disk", place.disk());
  return run.run().map([&] {
    figures = run.figures();
    return run.proved();
  });
}

int demo(const demo_parameters& given) {
  note_interrupts();
  auto place = data_place::choose(given.data_dir);
  if (!place)
    return bench_failed(place.error(), given.json);
  if (given.keep)
    place->keep();
  demo_screen screen{given.json ? stderr : stdout};
  report figures;
  const auto proved = run_demo(given, *place, screen, figures);
  if (!proved)
    return bench_failed(proved.error(), given.json);
  if (given.keep || !given.data_dir.empty())
    screen.say("kept", place->path());
  if (given.json)
    print(figures, true);
  return *proved ? exit_ok : exit_failure;
}

} // namespace

void add_demo(CLI::App& app, std::function<int()>& run) {
  auto given = std::make_shared<demo_parameters>();
  auto* demo_app = app.add_subcommand(
    "demo", "Shows what it promises: a burst, silence, kill -9, a proof");
  add_number(*demo_app, "--seconds", given->seconds,
             "Length of the first burst", 0.5, 3600);
  add_number(*demo_app, "--streams", given->streams, "Streams", 1, 1e7);
  demo_app
    ->add_option("--data-dir", given->data_dir,
                 "Where, new or empty, and kept; default: a temporary "
                 "directory below this one")
    ->type_name("DIR");
  demo_app
    ->add_option("--source", given->source,
                 "More text, where the machine's own changelogs and logs are "
                 "few; default: Torpor's own")
    ->check(CLI::ExistingDirectory)
    ->type_name("DIR");
  demo_app->add_flag("--keep", given->keep, "Keep the temporary directory");
  demo_app->add_flag("--json", given->json,
                     "The figures as one JSON object on standard output, all "
                     "else on standard error");
  demo_app->footer("Exits with 1 when an acknowledged entry is not there.\n"
                   "Examples:\n"
                   "  torpor demo\n"
                   "  torpor demo --streams 1000000 --seconds 30 --keep");
  demo_app->callback([given, &run] { run = [given] { return demo(*given); }; });
}

} // namespace torpor
