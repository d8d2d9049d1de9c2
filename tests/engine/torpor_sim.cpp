// SPDX-License-Identifier: Apache-2.0
// torpor-sim: plays seeds of the simulated store until one loses something.
#include "tests/engine/driver.hpp"

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using torpor::test::driver;

constexpr auto about
  = R"(Plays random workloads against the whole engine on a simulated disk, clock and
scheduler. A seed decides everything: what is asked, in which order messages are
handled, which calls fail, where the power goes and what the disk keeps of what
was not synced. After every crash all that was acknowledged has to be there, and
nothing else but whole requests that nobody was told about.

A seed that fails is played again and its trace printed: every request, answer
and call of the disk.

  torpor-sim                       the seeds of the test run
  torpor-sim --seeds 1..1000000    before a release
  torpor-sim --seeds 4711 --trace  one seed, step by step

Exit code: 0 nothing was lost, 1 a seed failed, 2 wrong usage.)";

struct seed_range {
  std::uint64_t first = 1;
  std::uint64_t last = 10'000;
};

/// "7" or "1..1000". Empty when it is neither.
std::optional<seed_range> parse_seeds(const std::string& text) {
  seed_range range;
  const auto* at = text.data();
  const auto* const end = at + text.size();
  auto number = std::from_chars(at, end, range.first);
  if (number.ec != std::errc{})
    return {};
  range.last = range.first;
  if (number.ptr == end)
    return range;
  if (std::string_view{number.ptr, end}.substr(0, 2) != "..")
    return {};
  number = std::from_chars(number.ptr + 2, end, range.last);
  if (number.ec != std::errc{} || number.ptr != end
      || range.last < range.first)
    return {};
  return range;
}

using mishap_counts = std::map<std::string, std::uint64_t>;

struct verdict {
  std::string wrong; ///< Empty when all is well.
  std::string trace;
  std::size_t segments = 0;
  mishap_counts mishaps;
};

verdict play(std::uint64_t seed, bool traced) {
  driver one{seed, traced};
  try {
    auto wrong = one.play();
    return {std::move(wrong), one.trace(), one.segments(), one.mishaps()};
  } catch (const std::exception& thrown) {
    return {fmt::format("exception: {}", thrown.what()), one.trace(), 0, {}};
  }
}

/// Plays all seeds on some threads; stops at the first that fails.
class campaign {
public:
  campaign(seed_range seeds, bool twice)
    : seeds_(seeds), twice_(twice), next_(seeds.first) {}

  /// The seed that failed and why, or nothing.
  std::optional<std::pair<std::uint64_t, std::string>> run(unsigned jobs) {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < jobs; ++i)
      threads.emplace_back([this] { work(); });
    threads.emplace_back([this] { show_progress(); });
    threads.clear();
    if (failures_.empty())
      return {};
    return *failures_.begin();
  }

  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] std::uint64_t segments() const { return segments_; }
  [[nodiscard]] const mishap_counts& mishaps() const { return mishaps_; }

private:
  void work() {
    while (!failed_) {
      const auto seed = next_++;
      if (seed > seeds_.last)
        break;
      auto played = play(seed, twice_);
      if (twice_ && played.wrong.empty()
          && play(seed, true).trace != played.trace)
        played.wrong = "played again it has another trace";
      segments_ += played.segments;
      ++done_;
      count(played.mishaps);
      if (!played.wrong.empty())
        fail(seed, played.wrong);
    }
    const std::lock_guard guard{mutex_};
    ++ended_;
    changed_.notify_all();
  }

  void count(const mishap_counts& added) {
    const std::lock_guard guard{mutex_};
    for (const auto& [what, times] : added)
      mishaps_[what] += times;
  }

  void fail(std::uint64_t seed, const std::string& wrong) {
    const std::lock_guard guard{mutex_};
    failed_ = true;
    failures_.emplace(seed, wrong);
  }

  /// A line a second, if somebody looks.
  void show_progress() {
    using namespace std::chrono;
    if (::isatty(STDERR_FILENO) == 0)
      return;
    const auto start = steady_clock::now();
    const auto total = seeds_.last - seeds_.first + 1;
    std::unique_lock guard{mutex_};
    while (!changed_.wait_for(guard, 1s, [this] { return ended_ > 0; })) {
      const auto took = duration<double>(steady_clock::now() - start).count();
      const auto rate = static_cast<double>(done_) / took;
      const auto left = static_cast<double>(total - done_) / rate;
      fmt::print(stderr, "\r{} of {} seeds, {:.0f}/s, {:.0f} s left\033[K",
                 done_.load(), total, rate, left);
    }
    fmt::print(stderr, "\r\033[K");
  }

  seed_range seeds_;
  bool twice_;
  std::atomic<std::uint64_t> next_;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::uint64_t> segments_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned ended_ = 0;
  mishap_counts mishaps_;
  std::map<std::uint64_t, std::string> failures_;
};

/// Says what was met. False when so many seeds should have met something and
/// have not: then they prove less than they seem to.
bool report_mishaps(const mishap_counts& mishaps, std::uint64_t seeds) {
  auto all = true;
  for (const auto& [what, times] : mishaps) {
    fmt::print("{:>12}  {}\n", times, what);
    all = all && times > 0;
  }
  constexpr std::uint64_t enough = 1000;
  if (all || seeds < enough)
    return true;
  fmt::print("Some of these never happened in {} seeds.\n", seeds);
  return false;
}

int report_failure(std::uint64_t seed, const std::string& wrong) {
  const auto again = play(seed, true);
  fmt::print("{}seed {}: {}\n", again.trace, seed, wrong);
  if (again.wrong != wrong)
    fmt::print("Played again: {}\n",
               again.wrong.empty() ? "nothing is wrong" : again.wrong);
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{about, "torpor-sim"};
  std::string seeds_text = "1..10000";
  auto jobs = std::max(1U, std::thread::hardware_concurrency());
  auto traced = false;
  auto twice = false;
  app.add_option("--seeds", seeds_text, "A..B, or one")->capture_default_str();
  app.add_option("--jobs", jobs, "Threads that play (default: one a core)")
    ->check(CLI::Range(1, 1024));
  app.add_flag("--trace", traced, "Print the trace of a single seed");
  app.add_flag("--twice", twice,
               "Play each seed twice and demand the same trace");
  CLI11_PARSE(app, argc, argv);
  const auto seeds = parse_seeds(seeds_text);
  if (!seeds || (traced && seeds->first != seeds->last)) {
    fmt::print(stderr, "torpor-sim: {}\n",
               seeds ? "--trace is for one seed: --seeds N"
                     : "--seeds is A..B or a number, such as 1..10000");
    return 2;
  }
  const auto started = std::chrono::steady_clock::now();
  campaign all{*seeds, twice};
  if (const auto failed = all.run(jobs))
    return report_failure(failed->first, failed->second);
  if (traced)
    fmt::print("{}", play(seeds->first, true).trace);
  fmt::print("{} seeds, {} segments left, {:.1f} s: nothing was lost\n",
             all.done(), all.segments(),
             std::chrono::duration<double>(std::chrono::steady_clock::now()
                                           - started)
               .count());
  return report_mishaps(all.mishaps(), all.done()) ? 0 : 1;
}
