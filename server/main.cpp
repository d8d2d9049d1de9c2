// SPDX-License-Identifier: Apache-2.0
// torpord: keeps a store open until it is told to stop.
#include "actors/engine.hpp"
#include "cli/standard_descriptors.hpp"
#include "runtime/process_limits.hpp"
#include "runtime/store.hpp"
#include "server/config.hpp"
#include "server/durable_streams.hpp"
#include "server/file_limit.hpp"
#include "server/front_door.hpp"
#include "server/listen.hpp"
#include "torpor/runtime.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>

#include <unistd.h>

namespace {

constexpr int usage_error = 2;

constexpr std::string_view
  help = R"(usage: torpord [--config-file=FILE] [--torpor.KEY=VALUE ...]

Keeps a Torpor store open and serves its streams over HTTP, at 127.0.0.1 port
4437 and at the Unix socket torpor.sock in the store's directory unless it is
told otherwise. Closes the store on SIGTERM or SIGINT. Logs to standard error,
stays in the foreground and exits with 0 after a clean stop, so that systemd and
containers can run it as it is. While it runs, nobody else can open its store.

  --config-file=FILE   read options from FILE; without it all have defaults
  --torpor.KEY=VALUE   set one option; wins over the file
  --check              only say whether file and options are right
  --version            print the version
  --help               this text

config/torpor.ini shows every option with its default, unit and range:

  torpord --config-file=/etc/torpor.ini
  torpord --torpor.data-dir=/var/lib/torpor --torpor.sync.max-delay=1s

Keys:)";

struct arguments {
  std::string file;
  std::vector<std::string_view> settings;
  bool check = false;
  bool help = false;
  bool version = false;
};

torpor::result<arguments> parse(std::span<char*> given) {
  arguments found;
  constexpr std::string_view file_option = "--config-file";
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string_view each{given[i]};
    if (each.starts_with("--torpor."))
      found.settings.push_back(each);
    else if (each == file_option)
      found.file = i + 1 < given.size() ? given[++i] : "";
    else if (each.starts_with(file_option) && each.size() > file_option.size()
             && each[file_option.size()] == '=')
      found.file = each.substr(file_option.size() + 1);
    else if (each == "--check")
      found.check = true;
    else if (each == "--help" || each == "-h")
      found.help = true;
    else if (each == "--version")
      found.version = true;
    else
      return torpor::fail(torpor::errc::invalid_argument,
                          fmt::format("'{}' is not understood; 'torpord "
                                      "--help' explains",
                                      each));
    if (each.starts_with(file_option) && found.file.empty())
      return torpor::fail(torpor::errc::invalid_argument,
                          "--config-file needs a file");
  }
  return found;
}

/// Names the file when what is wrong is what it says.
torpor::error with_file(const std::string& file,
                        const torpor::daemon_config& of_file,
                        torpor::error failure) {
  const auto alone = torpor::validate(of_file);
  if (!file.empty() && !alone && alone.error().context == failure.context)
    failure.context = fmt::format("{}: {}", file, failure.context);
  return failure;
}

torpor::result<torpor::daemon_config> configure(const arguments& given) {
  torpor::daemon_config config;
  if (!given.file.empty())
    if (auto set = torpor::apply_file(config, given.file); !set)
      return tl::unexpected{set.error()};
  const auto of_file = config;
  for (const auto each : given.settings)
    if (auto set = torpor::apply_argument(config, each); !set)
      return tl::unexpected{set.error()};
  // Each is right by itself; some, such as a rule's, belong together.
  if (auto valid = torpor::validate(config); !valid)
    return tl::unexpected{with_file(given.file, of_file, valid.error())};
  return config;
}

int complain(const torpor::error& failure, int code) {
  fmt::print(stderr, "torpord: {}\n", failure.context);
  return code;
}

/// Prints a text on standard output, or says why that cannot be done.
int answer(std::string_view text) {
  errno = 0;
  const auto written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written == text.size() && std::fflush(stdout) == 0)
    return 0;
  return complain(torpor::fail_io("write", "standard output", errno).value(),
                  1);
}

int print_help() {
  auto text = fmt::format("{}\n", help);
  for (const auto key : torpor::option_keys())
    text += fmt::format("  --torpor.{}\n", key);
  return answer(text);
}

int confirm(const arguments& given) {
  return answer(given.file.empty()
                  ? std::string{"the options are good\n"}
                  : fmt::format("config '{}' is good\n", given.file));
}

/// Blocks what the daemon waits for; every thread made later inherits it.
sigset_t block_signals() {
  sigset_t awaited;
  ::sigemptyset(&awaited);
  ::sigaddset(&awaited, SIGTERM);
  ::sigaddset(&awaited, SIGINT);
  ::sigaddset(&awaited, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  return awaited;
}

void start_log(const std::string& level) {
  auto log = std::make_shared<spdlog::logger>(
    "torpord", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_level(spdlog::level::from_str(level));
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_default_logger(std::move(log));
}

/// What is damaged does not keep a store from opening: it has to be said.
void log_damages(const torpor::runtime& opened) {
  for (const auto& each : opened.engine()->opened().scan.damages)
    spdlog::warn("journal-damaged file=\"{}\" offset={} bytes={} error=\"{}\" "
                 "hint=\"run 'torpor verify'\"",
                 each.file, each.offset, each.bytes, each.text);
}

/// The door's options, with paths as they are meant.
torpor::http_options door_options(const torpor::daemon_config& config) {
  auto options = config.http;
  options.socket = torpor::socket_path(config);
  return options;
}

/// No store is made for a door that cannot be opened. One that is there says
/// better who has it.
torpor::result<void> check_door(const torpor::daemon_config& config) {
  std::error_code unknown;
  if (!config.http.enabled
      || std::filesystem::exists(torpor::identity_path(config.store.data_dir),
                                 unknown))
    return {};
  const auto options = door_options(config);
  return torpor::listen_tcp(options.address, options.port)
    .and_then([&](const torpor::listening_socket&) {
      return options.socket.empty() ? torpor::result<void>{}
                                    : torpor::check_socket(options.socket);
    });
}

torpor::stream_options stream_options_of(const torpor::daemon_config& config) {
  const auto ms = [](std::chrono::milliseconds span) {
    return static_cast<std::uint32_t>(span.count());
  };
  torpor::stream_options options;
  options.read_bytes_max = config.http.read_bytes_max;
  options.long_poll_ms = ms(config.http.long_poll_timeout);
  options.sse_lifetime_ms = ms(config.http.sse_lifetime);
  options.tls = !config.http.tls_certificate.empty();
  for (const auto& [name, prefix] : config.buffered)
    if (prefix)
      options.buffered.push_back(*prefix);
  return options;
}

torpor::result<std::unique_ptr<torpor::front_door>>
open_door(const torpor::daemon_config& config,
          const std::shared_ptr<torpor::engine>& engine) {
  if (!config.http.enabled)
    return nullptr;
  if (auto fits = torpor::check_threads(config.http.threads, "the HTTP server",
                                        "http.threads");
      !fits)
    return tl::unexpected{fits.error()};
  const auto make_protocol = [&](torpor::io_loop& loop) {
    return std::make_unique<torpor::durable_streams>(
      loop, std::make_unique<torpor::engine_store>(engine, loop),
      stream_options_of(config));
  };
  const auto files = torpor::raise_file_limit();
  if (files < config.http.connections_max)
    spdlog::warn("few-open-files limit={} connections-max={} hint=\"raise "
                 "ulimit -n or LimitNOFILE\"",
                 files, config.http.connections_max);
  auto options = door_options(config);
  // The store never lacks a descriptor because of clients.
  constexpr std::uint64_t reserved = 512;
  options.connections_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(
    options.connections_max, files > 2 * reserved ? files - reserved
                                                  : files / 2));
  return torpor::front_door::open(options, engine, make_protocol);
}

void log_door(const torpor::daemon_config& config, torpor::front_door& door) {
  spdlog::info("listening address={} port={} tls={} socket=\"{}\"",
               config.http.address, door.server().port(),
               config.http.tls_certificate.empty() ? "no" : "yes",
               torpor::socket_path(config));
}

/// SIGHUP has the token file read again; the others end the daemon.
int wait_for_end(const sigset_t& awaited, torpor::front_door* door) {
  for (;;) {
    int signal = 0;
    ::sigwait(&awaited, &signal);
    if (signal != SIGHUP)
      return signal;
    if (door != nullptr)
      door->reload_tokens();
  }
}

int serve(const torpor::daemon_config& config, const sigset_t& awaited) {
  start_log(config.log_level);
  if (auto free = check_door(config); !free)
    return complain(free.error(), 1);
  const auto begin = std::chrono::steady_clock::now();
  auto store = torpor::runtime::open(config.store);
  if (!store)
    return complain(store.error(), 1);
  log_damages(*store);
  const auto stats = store->stats();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
    std::chrono::steady_clock::now() - begin);
  // Its loops outlive the store, whose actors post to them.
  const auto door = open_door(config, store->engine());
  if (!door)
    return complain(door.error(), 1);
  spdlog::info("started version={} pid={} data-dir=\"{}\" streams={} "
               "replayed-entries={} start-ms={}",
               TORPOR_VERSION, ::getpid(), config.store.data_dir, stats.catalog,
               stats.replayed_entries, took.count());
  if (*door)
    log_door(config, **door);
  const auto signal = wait_for_end(awaited, door->get());
  spdlog::info("stopping signal={}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  if (*door)
    (*door)->stop();
  store->close();
  spdlog::info("stopped");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  torpor::hold_standard_descriptors();
  const auto awaited = block_signals();
  const auto given = parse(
    std::span{argv, static_cast<std::size_t>(argc)}.subspan(argc > 0 ? 1 : 0));
  if (!given)
    return complain(given.error(), usage_error);
  if (given->help)
    return print_help();
  if (given->version)
    return answer(fmt::format("torpord {}\n", TORPOR_VERSION));
  const auto config = configure(*given);
  if (!config)
    return complain(config.error(), 1);
  if (given->check)
    return confirm(*given);
  return serve(*config, awaited);
}
