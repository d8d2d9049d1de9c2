// SPDX-License-Identifier: Apache-2.0
// torpor: the command line tool.
#include "cli/commands.hpp"
#include "cli/outcome.hpp"
#include "cli/standard_descriptors.hpp"

#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>

namespace {

constexpr const char* description =
  "Keeps a million durable log streams in one directory.\n"
  "The store is open in one process at a time: a running torpord is asked over\n"
  "HTTP, else the tool opens the store itself.\n";

constexpr const char* examples =
  "Examples:\n"
  "  echo hello | torpor append greetings     one line, one durable entry\n"
  "  torpor read greetings                    print them all\n"
  "  torpor import logs/*.gz --prefix acme/   many files, many streams\n"
  "  torpor ls acme/                          names, in byte order\n"
  "  torpor verify                            is everything readable?\n"
  "'torpor COMMAND --help' explains a command. Exit codes: 0 done, 1 failed,\n"
  "2 wrong usage, 130 interrupted.";

void add_global_options(CLI::App& app, torpor::command_context& given) {
  auto* const directory
    = app
        .add_option("-d,--data-dir", given.data_dir,
                    "The store's directory (default: TORPOR_DATA_DIR, else\n"
                    "torpor-data)")
        ->type_name("DIR");
  app
    .add_option("--url", given.url,
                "Instead: a running torpord, as http://HOST:PORT,\n"
                "https://HOST:PORT or unix:/PATH (default: TORPOR_URL, else\n"
                "the one that has the store's directory, if any)")
    ->type_name("URL")
    ->excludes(directory);
  app
    .add_option("--token-file", given.token_file,
                "Holds the access token for it (default: TORPOR_TOKEN)")
    ->type_name("FILE");
  app
    .add_option("--ca", given.ca_file,
                "Who signed its certificate, PEM (default: the system's)")
    ->type_name("FILE");
  app.add_flag("--json", given.json,
               "Results and errors as JSON, one object a line");
  app.add_flag("-q,--quiet", given.quiet, "No progress and no summaries");
  app.set_version_flag("--version", "torpor " TORPOR_VERSION);
}

/// What was not said on the command line may be in the environment. There the
/// daemon comes first, here either shuts out the other.
void take_environment(const CLI::App& app, torpor::command_context& given) {
  const auto take = [](const char* name, std::string& into) {
    const auto* const value = std::getenv(name);
    const auto given_there = value != nullptr && *value != '\0';
    if (given_there)
      into = value;
    return given_there;
  };
  if (app.count("--url") == 0 && app.count("--data-dir") == 0
      && !take("TORPOR_URL", given.url))
    take("TORPOR_DATA_DIR", given.data_dir);
}

/// What the library logs must not mix with results.
void log_to_standard_error() {
  auto log = std::make_shared<spdlog::logger>(
    "torpor", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_level(spdlog::level::warn);
  log->set_pattern("torpor: %l: %v");
  spdlog::set_default_logger(std::move(log));
}

/// Tells in every command's help what else can be said.
void mention_global_options(CLI::App& app) {
  for (auto* const each : app.get_subcommands({}))
    each->footer(each->get_footer()
                 + "\n--data-dir, --url, --json and --quiet hold here, too.");
}

/// Says in one sentence what is wrong with the command line.
int explain(const CLI::App& app, const CLI::ParseError& wrong, bool json) {
  // --help or --version.
  if (wrong.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
    return app.exit(wrong) == 0 && std::cout.flush() ? torpor::exit_ok
                                                     : torpor::exit_failure;
  const auto chosen = app.get_subcommands();
  const auto help = chosen.empty() ? std::string{"torpor --help"}
                                   : fmt::format("torpor {} --help",
                                                 chosen.front()->get_name());
  std::string why = wrong.what();
  if (chosen.empty())
    why = app.remaining().empty()
            ? "a command is missing"
            : fmt::format("'{}' is no command", app.remaining().front());
  std::replace(why.begin(), why.end(), '\n', ' ');
  torpor::print_error(json, {torpor::errc::invalid_argument,
                             fmt::format("{}; '{}' explains", why, help)});
  return torpor::exit_usage;
}

} // namespace

int main(int argc, char** argv) {
  torpor::hold_standard_descriptors();
  log_to_standard_error();
  torpor::command_context given;
  torpor::chosen_command run;
  CLI::App app{description, "torpor"};
  app.fallthrough(); // Global options may follow the command.
  app.require_subcommand(1);
  app.footer(examples);
  add_global_options(app, given);
  torpor::add_append(app, given, run);
  torpor::add_import(app, given, run);
  torpor::add_read(app, given, run);
  torpor::add_tail(app, given, run);
  torpor::add_ls(app, given, run);
  torpor::add_info(app, given, run);
  torpor::add_stream_commands(app, given, run);
  torpor::add_compact(app, given, run);
  torpor::add_verify(app, given, run);
  torpor::add_repair(app, given, run);
  torpor::add_token(app, given, run);
  mention_global_options(app);
  torpor::add_bench(app, run); // These have options of their own.
  torpor::add_demo(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    const auto json = std::find(argv, argv + argc, std::string_view{"--json"})
                      != argv + argc;
    return explain(app, wrong, json);
  }
  take_environment(app, given);
  return run();
}
