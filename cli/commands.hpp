// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>

#include <functional>
#include <string>

namespace torpor {

/// What a chosen subcommand sets; main calls it and returns its exit code.
using chosen_command = std::function<int()>;

/// How the tool ends.
enum exit_code : int {
  exit_ok = 0,
  exit_failure = 1,
  exit_usage = 2,
  exit_interrupted = 130, ///< By SIGINT or SIGTERM, as shells say it.
};

/// What holds for all commands.
struct command_context {
  std::string data_dir = "torpor-data";
  std::string url;        ///< Of a daemon; empty: the one that has `data_dir`.
  std::string token_file; ///< With its access token; empty: TORPOR_TOKEN.
  std::string ca_file;    ///< Who signed its certificate; empty: as the system says.
  bool json = false;  ///< Results and errors as JSON, one object per line.
  bool quiet = false; ///< No progress and no summaries.
};

// Each adds its subcommands to the tool.

void add_append(CLI::App& app, const command_context& given,
                chosen_command& run);
void add_import(CLI::App& app, const command_context& given,
                chosen_command& run);
void add_read(CLI::App& app, const command_context& given, chosen_command& run);
void add_tail(CLI::App& app, const command_context& given, chosen_command& run);
void add_ls(CLI::App& app, const command_context& given, chosen_command& run);
void add_info(CLI::App& app, const command_context& given, chosen_command& run);
/// create, delete, close and sync.
void add_compact(CLI::App& app, const command_context& given,
                 chosen_command& run);
void add_stream_commands(CLI::App& app, const command_context& given,
                         chosen_command& run);
void add_verify(CLI::App& app, const command_context& given,
                chosen_command& run);
void add_repair(CLI::App& app, const command_context& given,
                chosen_command& run);
void add_token(CLI::App& app, const command_context& given,
               chosen_command& run);
void add_bench(CLI::App& app, std::function<int()>& run);
void add_demo(CLI::App& app, std::function<int()>& run);

} // namespace torpor
