// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/case_series.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <unistd.h>

namespace torpor::test {

namespace {

constexpr unsigned failures_max = 20; ///< More say no more.

/// For who dies in the middle of a case.
thread_local char current[128];

void tell_and_die(int signal) {
  static_cast<void>(!::write(STDERR_FILENO, current, std::strlen(current)));
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

std::atomic<std::uint64_t> tried = 0;

/// Threads that take one case after the other. Threads: any.
class runner {
public:
  runner(const case_series& what, const effort& how) : what_(what), how_(how) {}

  bool run() {
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
      ::signal(signal, tell_and_die);
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < how_.jobs; ++i)
      threads.emplace_back([this] { work(); });
    threads.clear();
    const std::chrono::duration<double> took
      = std::chrono::steady_clock::now() - begin;
    if (::isatty(STDERR_FILENO) != 0)
      fmt::print(stderr, "\r\033[K");
    tried += done_;
    if (failed_ == 0)
      fmt::print("{}: {} of {} cases, {:.1f} s\n", what_.name, done_.load(),
                 what_.cases, took.count());
    return failed_ == 0;
  }

private:
  [[nodiscard]] bool wanted(std::uint64_t at) const {
    if (how_.only != 0)
      return at + 1 == how_.only;
    return at % how_.stride == how_.stride / 2
           || (what_.always && what_.always(at));
  }

  void work() {
    while (failed_ < failures_max) {
      const auto at = next_++;
      if (at >= what_.cases)
        return;
      if (!wanted(at))
        continue;
      const auto end = fmt::format_to_n(current, sizeof current - 1,
                                        "\ndied in {} --case {}\n", what_.name,
                                        at + 1);
      *end.out = '\0';
      std::string wrong;
      try {
        wrong = what_.judge(at);
      } catch (const std::exception& thrown) {
        wrong = fmt::format("exception: {}", thrown.what());
      }
      if (!wrong.empty())
        fail(at, wrong);
      if (++done_ % 256 == 0)
        show(at);
    }
  }

  void fail(std::uint64_t at, const std::string& wrong) {
    const std::lock_guard guard{mutex_};
    ++failed_;
    fmt::print("{} --case {}: {}\n", what_.name, at + 1, wrong);
  }

  void show(std::uint64_t at) {
    if (::isatty(STDERR_FILENO) == 0)
      return;
    fmt::print(stderr, "\r{}: {} %\033[K", what_.name, 100 * at / what_.cases);
  }

  const case_series& what_;
  const effort& how_;
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<unsigned> failed_ = 0;
  std::mutex mutex_;
};

} // namespace

std::uint64_t cases_tried() {
  return tried;
}

bool run(const case_series& what, const effort& how) {
  return runner{what, how}.run();
}

} // namespace torpor::test
