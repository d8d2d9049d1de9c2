// SPDX-License-Identifier: Apache-2.0
#include "tests/system/round.hpp"

#include "tests/system/child.hpp"
#include "tests/system/judgement.hpp"
#include "tests/system/workload.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <filesystem>
#include <new>
#include <sstream>
#include <stdexcept>

#include <sys/mman.h>

namespace torpor::test {

namespace {

struct places {
  explicit places(const std::string& directory)
    : store(directory + "/store"), log(directory + "/requests") {}

  std::string store;
  std::string log;
};

/// Whether the plan lets calls fail, and the process live.
bool lives_on(const call_plan& plan) {
  return plan.nth > 0 && plan.what >= mishap::fail;
}

/// A flag that a process shares with those that it forks.
class shared_flag {
public:
  shared_flag()
    : place_(::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (place_ == MAP_FAILED)
      throw std::runtime_error{"no shared memory"};
    flag_ = new (place_) std::atomic<bool>{false};
  }
  shared_flag(const shared_flag&) = delete;
  shared_flag& operator=(const shared_flag&) = delete;
  ~shared_flag() { ::munmap(place_, sizeof(std::atomic<bool>)); }

  [[nodiscard]] std::atomic<bool>* get() const noexcept { return flag_; }

private:
  void* place_;
  std::atomic<bool>* flag_;
};

/// Works, looks what can still be read, and stops.
std::string work(const round_plan& plan, const places& at,
                 std::atomic<bool>* met = nullptr) {
  spdlog::set_level(spdlog::level::off); // Faults are planned here.
  watch_calls(at.store, plan.work, met);
  std::optional<workload> some; // Outlives the store, which answers it.
  auto store = runtime::open(busy_options(at.store));
  if (!store)
    return lives_on(plan.work) ? std::string{}
                               : "does not open: " + to_string(store.error());
  some.emplace(*store, at.log, plan.seed);
  if (!some->play(plan.steps))
    return "an answer does not come";
  // What went wrong must not be in the way of readers, but they open files.
  if (plan.work.only == system_call::open)
    end_mishaps();
  store->sync().wait();
  auto known = some->known();
  if (auto wrong = judge(*store, known); !wrong.empty())
    return "before it stops: " + wrong;
  store->close();
  if (const auto broken = broken_rules(); !broken.empty())
    return "broken rule: " + broken.front();
  const auto unsynced = unsynced_changes();
  if (!unsynced.empty() && !lives_on(plan.work))
    return "never synced: " + unsynced.front();
  return {};
}

std::string recover(const call_plan& plan, const places& at) {
  spdlog::set_level(spdlog::level::off);
  watch_calls(at.store, plan);
  const auto store = runtime::open(busy_options(at.store));
  return store ? std::string{} : "does not open: " + to_string(store.error());
}

std::string judge_calmly(const places& at) {
  spdlog::set_level(spdlog::level::off);
  return judge(at.store, at.log);
}

} // namespace

round_end play(const round_plan& plan, const std::string& directory) {
  const places at{directory};
  std::filesystem::create_directories(directory);
  const shared_flag planned;
  const auto worked = in_child([&] { return work(plan, at, planned.get()); },
                               plan.kill_after);
  const auto met = plan.kill_after ? worked.killed : planned.get()->load();
  if (!worked.complaint.empty())
    return {worked.complaint};
  if (plan.recovery > 0) {
    const call_plan dies{plan.recovery, {}, mishap::kill_within};
    const auto end = in_child([&] { return recover(dies, at); });
    if (!end.complaint.empty())
      return {"recovery " + end.complaint};
  }
  auto judged = in_child([&] { return judge_calmly(at); });
  if (!judged.complaint.empty() || !plan.again)
    return {judged.complaint, met};
  auto calm = plan;
  calm.work = {};
  calm.seed += 1'000'000;
  judged = in_child([&] { return work(calm, at); });
  if (!judged.complaint.empty())
    return {"working on: " + judged.complaint};
  judged = in_child([&] { return judge_calmly(at); });
  if (!judged.complaint.empty())
    return {"after working on: " + judged.complaint};
  return {{}, met};
}

std::array<std::uint64_t, system_calls> measure(const round_plan& plan,
                                                const std::string& directory) {
  const places at{directory};
  std::filesystem::create_directories(directory);
  const auto worked = in_child([&] {
    if (auto wrong = work(plan, at); !wrong.empty())
      return wrong;
    std::string counts;
    for (const auto count : counted_calls())
      counts += fmt::format("{} ", count);
    return counts;
  });
  std::array<std::uint64_t, system_calls> counts{};
  std::istringstream text{worked.complaint};
  for (auto& count : counts)
    if (!(text >> count))
      throw std::runtime_error{worked.complaint};
  return counts;
}

} // namespace torpor::test
