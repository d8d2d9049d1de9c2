// SPDX-License-Identifier: Apache-2.0
#include "bench/pool_bench.hpp"

#include "actors/work_stealing.hpp"
#include "runtime/assert.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <thread>

#include <unistd.h>

namespace torpor::bench {

namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

constexpr std::size_t repetitions_min = 3;
constexpr seconds measured_min{1};
constexpr seconds measured_max{10};
constexpr seconds settling{0.5};
constexpr seconds watched{3};

/// An actor system of that kind.
class pool {
public:
  pool(pool_kind kind, std::size_t workers) {
    config_.set("scheduler.max-threads", workers);
    if (kind == pool_kind::ours)
      config_.load<caf::scheduler::coordinator<work_stealing>>();
    else if (kind == pool_kind::stock)
      config_.set("scheduler.policy", caf::atom("stealing"));
    else
      config_.set("scheduler.policy", caf::atom("sharing"));
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  caf::actor_system& system() { return *system_; }

private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

/// Quits at its first message.
caf::behavior short_lived(caf::event_based_actor* self) {
  return {[self](int) { self->quit(); }};
}

void spawn_many(caf::event_based_actor* self, std::size_t actors) {
  for (std::size_t i = 0; i < actors; ++i)
    self->send(self->spawn(short_lived), 1);
}

double process_cpu_s() {
  timespec now{};
  TORPOR_ASSERT(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec)
         + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Context switches so far of all threads but the calling one.
double context_switches() {
  const auto self = std::to_string(::gettid());
  auto sum = 0.0;
  for (const auto& task :
       std::filesystem::directory_iterator{"/proc/self/task"}) {
    if (task.path().filename() == self)
      continue;
    std::ifstream status{task.path() / "status"};
    for (std::string line; std::getline(status, line);)
      if (const auto at = line.find("voluntary_ctxt_switches:");
          at != std::string::npos)
        sum += std::stod(line.substr(line.find(':') + 1));
  }
  return sum;
}

} // namespace

std::string_view to_string(pool_kind kind) noexcept {
  switch (kind) {
    case pool_kind::ours:
      return "ours";
    case pool_kind::stock:
      return "stock";
    case pool_kind::sharing:
      return "sharing";
  }
  return "unknown";
}

pool_bench_result run_pool_bench(pool_kind kind, std::size_t workers,
                                 std::size_t queued_actors) {
  TORPOR_ASSERT(workers > 0 && queued_actors > 0);
  pool measured{kind, workers};
  constexpr auto never = std::numeric_limits<double>::max();
  pool_bench_result best{0, never, never};
  const auto per_actor_us = 1e6 / static_cast<double>(queued_actors);
  seconds elapsed{0};
  while (elapsed < measured_max
         && (best.repetitions < repetitions_min || elapsed < measured_min)) {
    const auto start = clock::now();
    const auto start_cpu = process_cpu_s();
    measured.system().spawn(spawn_many, queued_actors);
    measured.system().await_all_actors_done();
    const seconds took = clock::now() - start;
    elapsed += took;
    ++best.repetitions;
    best.cycle_us = std::min(best.cycle_us, took.count() * per_actor_us);
    best.cpu_us
      = std::min(best.cpu_us, (process_cpu_s() - start_cpu) * per_actor_us);
  }
  return best;
}

idle_pool_result run_idle_pool_bench(pool_kind kind, std::size_t workers) {
  TORPOR_ASSERT(workers > 0);
  pool idle{kind, workers};
  std::this_thread::sleep_for(settling);
  const auto switches = context_switches();
  const auto cpu_s = process_cpu_s();
  const auto start = clock::now();
  std::this_thread::sleep_for(watched);
  const seconds took = clock::now() - start;
  const auto used_s = process_cpu_s() - cpu_s;
  return {(context_switches() - switches) / took.count(),
          100 * used_s / took.count()};
}

} // namespace torpor::bench
