// SPDX-License-Identifier: Apache-2.0
// torpor-damage: damages stores in every way and looks what is served.
#include "tests/damage/kinds.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <string>

namespace {

using namespace torpor::test;

constexpr auto about
  = R"(Makes a store in memory, damages its files in every way there is, opens it and
reads everything. Each entry that was acknowledged has to be there with its very
bytes, or there is an error that says of which stream, or of which file and byte.
An opening that is refused must not have changed a file.

  torpor-damage journal               every bit flipped, cut off at every byte
  torpor-damage segment               the same, also read, verified and merged
  torpor-damage catalog               older, foreign, cut off, bits flipped
  torpor-damage files                 missing, empty, swapped, older, foreign
  torpor-damage journal --stride 61   every 61st case, and all of the headers
  torpor-damage journal --case 4711   that case of each part, to look into it

Exit code: 0 nothing was lost silently, 1 something was, 2 wrong usage.)";

} // namespace

int main(int argc, char** argv) {
  CLI::App app{about, "torpor-damage"};
  app.require_subcommand(1);
  effort how;
  std::function<bool(const effort&)> chosen;
  const auto add = [&](const std::string& name, const std::string& text,
                       bool (*run)(const effort&)) {
    auto* command = app.add_subcommand(name, text);
    command->add_option("--stride", how.stride, "Try every so many-th case")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
    command->add_option("--case", how.only, "Try this one alone, from 1")
      ->check(CLI::Range(1, 1'000'000'000));
    command->add_option("--jobs", how.jobs, "Threads")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
    command->callback([&chosen, run] { chosen = run; });
  };
  add("journal", "Damage a journal file", damage_journal);
  add("segment", "Damage a segment", damage_segment);
  add("catalog", "Damage the catalog", damage_catalog);
  add("files", "Lose, swap and replace whole files", damage_files);
  try {
    app.parse(argc, argv);
    const auto good = chosen(how);
    if (good && cases_tried() == 0) {
      fmt::print(stderr, "torpor-damage: there is no case {}\n", how.only);
      return 2;
    }
    return good ? 0 : 1;
  } catch (const CLI::ParseError& failure) {
    return app.exit(failure) == 0 ? 0 : 2;
  } catch (const std::exception& failure) {
    fmt::print(stderr, "torpor-damage: {}\n", failure.what());
    return 1;
  }
}
