// SPDX-License-Identifier: Apache-2.0
// torpor-faults: kills the process that works on a real store, or lets its
// system calls fail, at every point, and looks what is left.
#include "tests/support/fast_directory.hpp"
#include "tests/system/round.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace torpor::test;

constexpr auto about
  = R"(Works on a real store, with real threads, files and LMDB, and has it come to
grief: every request is logged before it is sent and when it is answered, by a
process that then dies or whose system calls fail. Another process opens what is
left, reads everything and holds it against the log.

  torpor-faults kill            killed in every call that changes a file
  torpor-faults random          killed at any moment
  torpor-faults fail            every call fails: EIO, ENOSPC, short writes
  torpor-faults kill --seed 3 --at 117 --within   one of them again

A round that fails is named with the command that repeats it, and its files are
kept.

Exit code: 0 nothing was lost, 1 something was, 2 wrong usage.)";

/// A round and how to repeat it.
struct task {
  round_plan plan;
  std::string name; ///< Arguments.
};

struct score {
  std::size_t rounds = 0;
  std::size_t met = 0; ///< Rounds in which what was planned happened.
};

/// Rounds in processes of their own, some at a time.
class field {
public:
  field(std::string scratch, unsigned jobs)
    : scratch_(std::move(scratch)), jobs_(jobs) {}

  /// Plays all; false when one failed, which has been told then.
  bool play_all(const std::vector<task>& tasks) {
    total_ = tasks.size();
    for (const auto& each : tasks) {
      while (running_.size() >= jobs_)
        if (!finish_one())
          return false;
      start(each);
      show_progress();
    }
    while (!running_.empty())
      if (!finish_one())
        return false;
    if (::isatty(STDERR_FILENO) != 0)
      fmt::print(stderr, "\r\033[K");
    return true;
  }

  [[nodiscard]] const score& result() const { return score_; }

private:
  struct running {
    int report = -1;
    std::string name;
    std::string directory;
  };

  void start(const task& what) {
    const auto directory = fmt::format("{}/{}", scratch_, ++started_);
    int ends[2];
    if (::pipe(ends) != 0)
      throw std::runtime_error{"no pipe"};
    const auto child = ::fork();
    if (child < 0)
      throw std::runtime_error{"no process"};
    if (child == 0) {
      ::close(ends[0]);
      const auto end = play(what.plan, directory);
      const auto report = (end.met ? "+" : "-") + end.wrong;
      const auto told = ::write(ends[1], report.data(), report.size());
      ::_exit(told > 0 ? 0 : 1);
    }
    ::close(ends[1]);
    running_[child] = {ends[0], what.name, directory};
  }

  bool finish_one() {
    int status = 0;
    const auto child = ::wait(&status);
    const auto found = running_.find(child);
    if (found == running_.end())
      return true;
    const auto ended = found->second;
    running_.erase(found);
    std::string report(4096, '\0');
    const auto got = ::read(ended.report, report.data(), report.size());
    ::close(ended.report);
    report.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    ++score_.rounds;
    if (report.size() == 1) {
      score_.met += report[0] == '+';
      std::filesystem::remove_all(ended.directory);
      return true;
    }
    fmt::print("{}\nfiles: {}\nagain: torpor-faults {}\n",
               report.empty() ? "the round itself died" : report.substr(1),
               ended.directory, ended.name);
    return false;
  }

  void show_progress() {
    const auto now = std::chrono::steady_clock::now();
    if (::isatty(STDERR_FILENO) == 0 || now < next_)
      return;
    next_ = now + std::chrono::milliseconds{500};
    const auto took = std::chrono::duration<double>(now - start_).count();
    const auto rate = static_cast<double>(score_.rounds) / took;
    fmt::print(stderr, "\r{} of {} rounds, {:.0f}/s\033[K", score_.rounds,
               total_, rate);
  }

  std::string scratch_;
  unsigned jobs_;
  std::size_t started_ = 0;
  std::size_t total_ = 0;
  std::map<pid_t, running> running_;
  score score_;
  std::chrono::steady_clock::time_point start_
    = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_ = start_;
};

struct arguments {
  std::uint64_t seed = 1;
  std::size_t steps = 60;
  std::size_t rounds = 0;
  std::uint64_t at = 0;
  std::uint64_t recovery = 0;
  bool within = false;
  std::string call;
  std::string how = "fail";
  std::string error = "EIO";
  unsigned jobs = 1;
  std::string scratch;
};

std::uint64_t total(const std::array<std::uint64_t, system_calls>& counts) {
  std::uint64_t sum = 0;
  for (const auto count : counts)
    sum += count;
  return sum;
}

// -- plans --------------------------------------------------------------------

task kill_at(const arguments& given, std::uint64_t seed, std::uint64_t at,
             bool within, std::uint64_t recovery) {
  task one;
  one.plan.seed = seed;
  one.plan.steps = given.steps;
  one.plan.work = {at, {}, within ? mishap::kill_within : mishap::kill_before};
  one.plan.recovery = recovery;
  one.plan.again = at % 4 == 0;
  one.name = fmt::format("kill --seed {} --steps {} --at {}{} --recovery {}",
                         seed, given.steps, at, within ? " --within" : "",
                         recovery);
  return one;
}

/// Every call of as many workloads as it takes.
std::vector<task> kills(const arguments& given) {
  if (given.at > 0)
    return {kill_at(given, given.seed, given.at, given.within, given.recovery)};
  std::vector<task> all;
  std::mt19937_64 random{given.seed};
  for (auto seed = given.seed; all.size() < given.rounds; ++seed) {
    round_plan calm;
    calm.seed = seed;
    calm.steps = given.steps;
    const auto place = fmt::format("{}/measure-{}", given.scratch, seed);
    const auto calls = total(measure(calm, place));
    std::filesystem::remove_all(place);
    for (std::uint64_t at = 1; at <= calls && all.size() < given.rounds; ++at)
      for (const auto within : {false, true})
        all.push_back(kill_at(given, seed, at, within,
                              random() % 3 == 0 ? 1 + random() % 30 : 0));
  }
  return all;
}

/// Killed from outside, whatever it is doing.
std::vector<task> random_kills(const arguments& given) {
  std::vector<task> all;
  for (std::size_t i = 0; i < given.rounds; ++i) {
    task one;
    one.plan.seed = given.seed + i;
    std::mt19937_64 random{one.plan.seed};
    one.plan.steps = 100'000;
    one.plan.kill_after = std::chrono::microseconds{random() % 150'000};
    one.plan.recovery = random() % 3 == 0 ? 1 + random() % 30 : 0;
    one.name = fmt::format("random --seed {} --rounds 1", one.plan.seed);
    all.push_back(one);
  }
  return all;
}

struct failure {
  const char* name;
  mishap what;
};
constexpr std::array failures{failure{"fail", mishap::fail},
                              failure{"fail_always", mishap::fail_always},
                              failure{"cut_short", mishap::cut_short}};

task fail_at(const arguments& given, system_call call, std::uint64_t at,
             const failure& how, int number) {
  task one;
  one.plan.seed = given.seed;
  one.plan.steps = given.steps;
  one.plan.work = {at, call, how.what, number};
  one.name = fmt::format(
    "fail --seed {} --steps {} --call {} --at {} --how {} --error {}",
    given.seed, given.steps, to_string(call), at, how.name,
    number == ENOSPC ? "ENOSPC" : "EIO");
  return one;
}

/// Each call of each kind, as far as there are rounds, evenly.
std::vector<task> call_failures(const arguments& given) {
  std::vector<task> all;
  round_plan calm;
  calm.seed = given.seed;
  calm.steps = given.steps;
  const auto place = given.scratch + "/measure";
  const auto counts = measure(calm, place);
  std::filesystem::remove_all(place);
  for (std::size_t kind = 0; kind < system_calls; ++kind) {
    const auto call = static_cast<system_call>(kind);
    if (!given.call.empty() && given.call != to_string(call))
      continue;
    for (std::uint64_t at = 1; at <= counts[kind]; ++at)
      for (const auto& how : failures)
        for (const auto number : {EIO, ENOSPC}) {
          const auto short_write = how.what == mishap::cut_short;
          if (short_write && (call != system_call::write || number == EIO))
            continue;
          if (given.at > 0
              && (at != given.at || given.how != how.name
                  || (number == ENOSPC) != (given.error == "ENOSPC")))
            continue;
          all.push_back(fail_at(given, call, at, how, number));
        }
  }
  if (given.rounds == 0 || all.size() <= given.rounds)
    return all;
  std::vector<task> some;
  for (std::size_t i = 0; i < given.rounds; ++i)
    some.push_back(all[i * all.size() / given.rounds]);
  return some;
}

int play_tasks(const arguments& given, const std::vector<task>& tasks) {
  if (tasks.empty()) {
    std::filesystem::remove_all(given.scratch);
    throw std::runtime_error{fmt::format(
      "the workload of --seed {} --steps {} has no such call{}", given.seed,
      given.steps, given.at > 0 ? fmt::format(" {}", given.at) : "")};
  }
  const auto started = std::chrono::steady_clock::now();
  field all{given.scratch, given.jobs};
  if (!all.play_all(tasks))
    return 1;
  const auto [rounds, met] = all.result();
  fmt::print("{} rounds, in {} of them it happened as planned, {:.1f} s: nothing "
             "was lost\n",
             rounds, met,
             std::chrono::duration<double>(std::chrono::steady_clock::now()
                                           - started)
               .count());
  std::filesystem::remove_all(given.scratch);
  // Threads make the number of calls vary; more than that proves nothing.
  if (met * 2 >= rounds)
    return 0;
  fmt::print("Too often nothing happened: do the store's calls come here?\n");
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{about, "torpor-faults"};
  app.require_subcommand(1);
  arguments given;
  given.jobs = std::max(1U, std::thread::hardware_concurrency());
  const auto common = [&](CLI::App* command, std::size_t rounds) {
    command->add_option("--seed", given.seed, "Of the first workload");
    command->add_option("--steps", given.steps, "Requests of a workload")
      ->check(CLI::Range(1, 1'000'000));
    command->add_option("--jobs", given.jobs, "Rounds at a time")
      ->check(CLI::Range(1, 256));
    command->add_option("--scratch", given.scratch,
                        "Where stores are made (default: /dev/shm, else TMPDIR)");
    command->add_option("--rounds", given.rounds,
                        fmt::format("How many at most (default: {})",
                                    rounds > 0 ? std::to_string(rounds)
                                               : "all there are"))
      ->check(CLI::Range(1, 1'000'000'000));
    command->callback([&given, rounds] {
      if (given.rounds == 0)
        given.rounds = rounds;
    });
  };
  auto* const kill = app.add_subcommand("kill", "Kill it in every call");
  common(kill, 2000);
  auto* const killed = kill->add_option("--at", given.at, "Only in that call")
                         ->check(CLI::Range(1, 1'000'000'000));
  kill->add_flag("--within", given.within, "Half of a write is done")
    ->needs(killed);
  kill
    ->add_option("--recovery", given.recovery,
                 "Kill the recovery in that call as well")
    ->needs(killed);
  auto* const random = app.add_subcommand("random", "Kill it at any moment");
  common(random, 200);
  auto* const fail = app.add_subcommand("fail", "Let calls fail");
  common(fail, 0);
  std::vector<std::string> calls;
  for (std::size_t kind = 0; kind < system_calls; ++kind)
    calls.push_back(to_string(static_cast<system_call>(kind)));
  fail->add_option("--call", given.call, "Only calls of that kind")
    ->check(CLI::IsMember(calls));
  auto* const failed = fail->add_option("--at", given.at, "Only that call")
                         ->check(CLI::Range(1, 1'000'000'000));
  std::vector<std::string> ways;
  for (const auto& each : failures)
    ways.emplace_back(each.name);
  fail->add_option("--how", given.how, "In which way it fails")
    ->check(CLI::IsMember(ways))
    ->needs(failed);
  fail->add_option("--error", given.error, "With which error")
    ->check(CLI::IsMember({"EIO", "ENOSPC"}))
    ->needs(failed);
  try {
    app.parse(argc, argv);
    given.scratch = make_fast_directory("torpor-faults", given.scratch);
    const auto tasks = kill->parsed()     ? kills(given)
                       : random->parsed() ? random_kills(given)
                                          : call_failures(given);
    return play_tasks(given, tasks);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : 2;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "torpor-faults: {}\n", thrown.what());
    return 2;
  }
}
