// SPDX-License-Identifier: Apache-2.0
#include "cli/client_token.hpp"
#include "cli/arguments.hpp"
#include "cli/bench.hpp"
#include "cli/http_bench_streams.hpp"
#include "cli/http_load.hpp"
#include "cli/http_url.hpp"
#include "cli/interrupt.hpp"
#include "cli/outcome.hpp"
#include "cli/report.hpp"
#include "cli/status_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <ctime>

namespace torpor {

namespace {

struct http_parameters {
  std::string url = "http://127.0.0.1:4437";
  std::string token_file;
  std::uint64_t streams = 10'000;
  std::uint32_t connections = 256;
  std::uint32_t threads = 1;
  std::uint32_t entry_bytes = 256;
  double seconds = 10;
  double warm_up = 1;
  bool retries = false;
  bool check = false;
  bool json = false;
};

/// What reading back gave.
struct comparison {
  std::uint64_t acked = 0; ///< Entries.
  std::uint64_t found = 0;
  std::uint64_t lost = 0;  ///< Acknowledged, but not there.
  std::uint64_t extra = 0; ///< There, but never acknowledged.
  std::uint64_t torn = 0;  ///< Streams whose bytes are no whole entries.
  std::uint64_t first_wrong = ~std::uint64_t{0};
};

comparison compare(const http_bench_streams& all, std::uint32_t entry_bytes) {
  comparison sum;
  for (std::uint64_t i = 0; i < all.streams.size(); ++i) {
    const auto& each = all.streams[i];
    const auto found = each.found / entry_bytes;
    sum.acked += each.acked;
    sum.found += found;
    sum.lost += each.acked > found ? each.acked - found : 0;
    sum.extra += found > each.acked ? found - each.acked : 0;
    sum.torn += each.found % entry_bytes == 0 ? 0 : 1;
    if (each.found != each.acked * entry_bytes)
      sum.first_wrong = std::min(sum.first_wrong, i);
  }
  return sum;
}

/// One run against a server that is there.
class http_run {
public:
  http_run(const http_parameters& given, http_load_options how,
           http_bench_streams streams)
    : given_(given), how_(std::move(how)), streams_(std::move(streams)),
      progress_(stderr, status_line::audience::terminal),
      pool_(random_bytes((1u << 20) + given.entry_bytes)) {}

  result<report> run() {
    const auto start = steady::now();
    return sweep("creating streams", http_stream_maker)
      .and_then([&] {
        create_s_ = seconds_since(start);
        return append();
      })
      .and_then([&]() -> result<void> {
        return given_.check ? sweep("reading back", http_read_back)
                            : result<void>{};
      })
      .map([&] { return figures(); });
  }

  [[nodiscard]] comparison compared() const {
    return compare(streams_, given_.entry_bytes);
  }

private:
  template <class Make>
  std::unique_ptr<http_load> start(Make source) {
    std::vector<std::unique_ptr<http_load_source>> sources;
    for (std::uint32_t i = 0; i < how_.threads; ++i)
      sources.push_back(source(i));
    return std::make_unique<http_load>(how_, std::move(sources));
  }

  /// Ends a load; the first thing that went wrong counts.
  static result<void> end(http_load& load) {
    if (interrupted()) {
      load.abandon();
      return fail(errc::shut_down, "interrupted");
    }
    load.stop();
    if (const auto why = load.failure())
      return tl::unexpected{*why};
    return {};
  }

  /// Something for each stream, once.
  template <class Make>
  result<void> sweep(std::string_view what, Make source) {
    const auto load = start([&](std::uint32_t) { return source(streams_); });
    while (!load->finished()
           && wait_for(std::chrono::duration<double>{0.05}))
      if (progress_.due())
        progress_.show(fmt::format("{}: {} answers for {}", what,
                                   grouped(static_cast<double>(
                                     load->answered())),
                                   grouped(static_cast<double>(
                                     given_.streams))));
    progress_.clear();
    return end(*load);
  }

  result<void> append() {
    http_append_options how;
    how.entry_bytes = given_.entry_bytes;
    if (given_.retries) // Rises from run to run.
      how.epoch = static_cast<std::uint64_t>(std::time(nullptr));
    load_ = start([&](std::uint32_t thread) {
      how.seed = thread + 1;
      return http_appends(streams_, how, pool_);
    });
    watch(given_.warm_up, "warming up");
    load_->measure();
    watch(given_.seconds, "measuring");
    return end(*load_);
  }

  void watch(double seconds, std::string_view what) {
    const auto start = steady::now();
    auto last = load_->answered();
    for (double now = 0;
         now < seconds && !interrupted() && !load_->finished();
         now = seconds_since(start)) {
      const auto slice = std::min(seconds - now, 0.5);
      wait_for(std::chrono::duration<double>{slice});
      const auto acked = load_->answered();
      if (progress_.due())
        progress_.show(fmt::format(
          "{} {:.0f} of {:.0f} s, {} appends/s", what, seconds_since(start),
          seconds, grouped(static_cast<double>(acked - last) / slice)));
      last = acked;
    }
    progress_.clear();
  }

  [[nodiscard]] report parameters() const {
    report out;
    out.add("url", given_.url)
      .add("streams", given_.streams)
      .add("connections", std::uint64_t{given_.connections})
      .add("threads", std::uint64_t{given_.threads})
      .add("entry_bytes", std::uint64_t{given_.entry_bytes})
      .add("seconds", given_.seconds)
      .add("warm_up", given_.warm_up)
      .add("retry", given_.retries);
    return out;
  }

  [[nodiscard]] report figures() const {
    const auto latencies = load_->latencies();
    const auto rate = static_cast<double>(latencies.count())
                      / load_->seconds();
    const auto us = [&](double share) {
      return static_cast<double>(latencies.at(share)) / 1e3;
    };
    report statuses;
    std::uint64_t errors = 0;
    for (const auto& [status, count] : load_->statuses()) {
      statuses.add(fmt::to_string(status), count);
      errors += status >= 400 ? count : 0;
    }
    report out;
    out.add("appends_per_s", rate)
      .add("mib_per_s", rate * given_.entry_bytes / (1 << 20))
      .add("producer_cpu_us_per_append",
           static_cast<double>(load_->cpu_ns()) / 1e3
             / static_cast<double>(
               std::max<std::uint64_t>(load_->answered(), 1)))
      .add("p50_us", us(0.5))
      .add("p99_us", us(0.99))
      .add("p999_us", us(0.999))
      .add("errors", errors)
      .add("statuses", statuses)
      .add("cuts", load_->cuts())
      .add("create_s", create_s_);
    if (given_.check) {
      const auto result = compared();
      out.add("check", report{}
                         .add("acked", result.acked)
                         .add("found", result.found)
                         .add("lost", result.lost)
                         .add("extra", result.extra)
                         .add("torn", result.torn));
    }
    out.add("parameters", parameters());
    return out;
  }

  const http_parameters& given_;
  http_load_options how_;
  http_bench_streams streams_;
  status_line progress_;
  std::string pool_; ///< Payloads are cut out of it.
  double create_s_ = 0;
  std::unique_ptr<http_load> load_;
};

/// An append that was cut off may be there without an acknowledgement, but only
/// where nothing is sent again.
result<void> judge(const comparison& found) {
  if (found.lost == 0 && found.torn == 0 && found.extra == 0)
    return {};
  return fail(errc::corrupt,
              fmt::format("{} acknowledged entries are lost, {} were never "
                          "acknowledged, {} streams are torn; the first wrong "
                          "one is '{}'",
                          found.lost, found.extra, found.torn,
                          bench_stream(found.first_wrong)));
}

/// Looks whether the server is there.
result<http_load_options> options_of(const http_parameters& given,
                                     const http_url& url) {
  if (given.connections > given.streams || given.threads > given.connections)
    return fail(errc::invalid_argument,
                "--connections must be at most --streams, and --threads at "
                "most --connections");
  return find_server(url).map([&](const load_address& address) {
    return http_load_options{given.url, address, given.connections,
                             given.threads, given.retries};
  });
}

int bench_http(const http_parameters& given) {
  note_interrupts();
  const auto url = parse_http_url(given.url);
  if (!url)
    return bench_failed(url.error(), given.json);
  const auto how = options_of(given, *url);
  if (!how)
    return bench_failed(how.error(), given.json);
  const auto token = client_token(given.token_file);
  if (!token)
    return bench_failed(token.error(), given.json);
  http_run run{given, *how, {*url, *token, given.streams, given.connections}};
  const auto figures = run.run();
  if (!figures)
    return bench_failed(figures.error(), given.json);
  print(*figures, given.json);
  if (const auto whole = judge(run.compared()); given.check && !whole)
    return bench_failed(whole.error(), given.json);
  return exit_ok;
}

} // namespace

void add_http_bench(CLI::App& bench, std::function<int()>& run) {
  auto given = std::make_shared<http_parameters>();
  auto* app = bench.add_subcommand(
    "http", "Appends to random streams of a server, over HTTP");
  const auto number = [app](const char* option, auto& value, const char* text,
                            double least, double most) {
    add_number(*app, option, value, text, least, most);
  };
  app
    ->add_option("--url", given->url,
                 "The server: http://HOST:PORT or unix:/PATH")
    ->envname("TORPOR_URL")
    ->type_name("URL")
    ->capture_default_str();
  app
    ->add_option("--token-file", given->token_file,
                 "Holds the access token; without it TORPOR_TOKEN does")
    ->type_name("FILE");
  number("--streams", given->streams, "Streams, made beforehand", 1, 1e7);
  number("--connections", given->connections,
         "Each has one append without an answer", 1, 65536);
  number("--threads", given->threads, "That serve the connections", 1, 64);
  number("--entry-bytes", given->entry_bytes, "Payload of an entry", 1,
         1 << 24);
  number("--seconds", given->seconds, "Measured time", 0.1, 86400);
  number("--warm-up", given->warm_up, "Time before it", 0, 3600);
  app->add_flag("--retry", given->retries,
                "What is cut off is sent again until it is acknowledged, with "
                "the\nheaders of an idempotent producer: the server may be "
                "killed meanwhile");
  app->add_flag("--check", given->check,
                "Read all back at the end and compare with what was "
                "acknowledged");
  app->add_flag("--json", given->json, "One JSON object as the last line");
  app->footer("Example:\n"
              "  torpor bench http --streams 10000 --seconds 10 --check");
  app->callback(
    [given, &run] { run = [given] { return bench_http(*given); }; });
}

} // namespace torpor
