// SPDX-License-Identifier: Apache-2.0
// torpor-kills: kills a daemon under load, again and again, and looks whether
// its clients miss anything.
#include "tests/daemon/daemon_round.hpp"
#include "tests/support/fast_directory.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

namespace {

using namespace torpor::test;

constexpr auto about
  = R"(Starts torpord on a store of its own and kills it (SIGKILL) under the load of
HTTP clients, again and again; the next one goes on with the same store. Clients
note each request before it is sent and each answer, send again what was not
answered, and check that all they were told holds: what was acknowledged is there,
once, in order and unchanged, what a reader saw too, what was deleted or closed
stays so. In the end torpord is told to stop, and torpor verify looks at the store.

  torpor-kills TORPORD TORPOR                 as in the tests
  torpor-kills TORPORD TORPOR --rounds 1000   for a night
  torpor-kills TORPORD TORPOR --seed 7 --rounds 1   like round 7

A round is one store. When one fails its files are kept: the store, "requests"
(tests/system/request_log.hpp) and torpord's log. Its seed does not make the same
happen again: when a process is killed is never the same.

Exit code: 0 nothing was lost, 1 something was, 2 wrong usage.)";

struct arguments {
  daemon_plan plan;
  unsigned rounds = 5;
  std::string scratch;
};

int play_rounds(const arguments& given) {
  using clock = std::chrono::steady_clock;
  const auto started = clock::now();
  const auto scratch = make_fast_directory("torpor-kills", given.scratch);
  auto plan = given.plan;
  daemon_end all;
  for (unsigned i = 0; i < given.rounds; ++i, ++plan.seed) {
    const auto directory = fmt::format("{}/{}", scratch, plan.seed);
    const auto end = play(plan, directory);
    if (!end.wrong.empty()) {
      fmt::print("{}\nfiles: {}\nlike it: --seed {} --rounds 1\n", end.wrong,
                 directory, plan.seed);
      return 1;
    }
    all.kills += end.kills;
    all.requests += end.requests;
    std::filesystem::remove_all(directory);
    if (::isatty(STDERR_FILENO) != 0)
      fmt::print(stderr, "\r{} of {} rounds, {} kills\033[K", i + 1,
                 given.rounds, all.kills);
  }
  if (::isatty(STDERR_FILENO) != 0)
    fmt::print(stderr, "\r\033[K");
  std::filesystem::remove_all(scratch);
  const std::chrono::duration<double> took = clock::now() - started;
  fmt::print("{} rounds, {} kills, {} requests, {:.1f} s: nothing was lost\n",
             given.rounds, all.kills, all.requests, took.count());
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{about, "torpor-kills"};
  arguments given;
  app.add_option("TORPORD", given.plan.torpord, "The daemon to kill")
    ->required()
    ->check(CLI::ExistingFile);
  app.add_option("TORPOR", given.plan.torpor, "The tool that verifies")
    ->required()
    ->check(CLI::ExistingFile);
  app.add_option("--seed", given.plan.seed, "Of the first round (default: 1)");
  app.add_option("--rounds", given.rounds, "Stores (default: 5)")
    ->check(CLI::Range(1, 1'000'000));
  app.add_option("--kills", given.plan.kills, "Of each store (default: 8)")
    ->check(CLI::Range(1, 1'000'000));
  app.add_option("--writers", given.plan.writers, "Clients that write (default: 6)")
    ->check(CLI::Range(1, 256));
  app.add_option("--scratch", given.scratch,
                 "Where stores are made (default: /dev/shm, else TMPDIR)");
  try {
    app.parse(argc, argv);
    return play_rounds(given);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : 2;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "torpor-kills: {}\n", thrown.what());
    return 2;
  }
}
