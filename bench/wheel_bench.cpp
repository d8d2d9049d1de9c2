// SPDX-License-Identifier: Apache-2.0
#include "bench/wheel_bench.hpp"

#include "runtime/assert.hpp"
#include "runtime/timing_wheel.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <ctime>

namespace torpor::bench {

namespace {

constexpr timing_wheel::tick span_ms = 10'000;
constexpr std::size_t operations_min = 4'000'000;
constexpr std::size_t repetitions_min = 7;
constexpr std::size_t repetitions_max = 101;

/// This thread's own processor time: others on the machine do not count.
double thread_ns() {
  timespec now{};
  TORPOR_ASSERT(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return 1e9 * static_cast<double>(now.tv_sec)
         + static_cast<double>(now.tv_nsec);
}

/// Nanoseconds per timer of one run of `work`.
template <class Work>
double time_per_timer(std::size_t timers, Work work) {
  const auto start = thread_ns();
  work();
  return (thread_ns() - start) / static_cast<double>(timers);
}

double median(std::vector<double>& samples) {
  const auto middle = samples.begin()
                      + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

/// The same deadlines and the same order of cancelling in every repetition.
class workload {
public:
  explicit workload(std::size_t timers) : delays_(timers), handles_(timers) {
    std::uniform_int_distribution<timing_wheel::tick> delay(1, span_ms);
    for (auto& d : delays_)
      d = delay(random_);
    out_.reserve(timers);
  }

  void arm_all() {
    for (std::size_t i = 0; i < delays_.size(); ++i)
      handles_[i] = wheel_.arm(now_ + delays_[i], i);
  }

  void shuffle() { std::shuffle(handles_.begin(), handles_.end(), random_); }

  void cancel_all() {
    for (const auto handle : handles_)
      wheel_.cancel(handle);
    TORPOR_ASSERT(wheel_.size() == 0);
  }

  void fire_all() {
    out_.clear();
    while (const auto next = wheel_.next()) {
      now_ = *next;
      while (wheel_.poll(now_, out_)) {}
    }
    TORPOR_ASSERT(out_.size() == delays_.size());
  }

  [[nodiscard]] std::size_t memory_bytes() const {
    return wheel_.memory_bytes();
  }

private:
  std::mt19937_64 random_{1};
  timing_wheel::tick now_ = 1'000'000;
  timing_wheel wheel_{now_};
  std::vector<timing_wheel::tick> delays_;
  std::vector<timing_wheel::timer> handles_;
  std::vector<std::uint64_t> out_;
};

} // namespace

wheel_bench_result run_wheel_bench(std::size_t timers) {
  TORPOR_ASSERT(timers > 0);
  const auto repetitions = std::clamp(operations_min / timers, repetitions_min,
                                      repetitions_max);
  workload work(timers);
  std::vector<double> arm, cancel, fire;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < repetitions; ++i) {
    arm.push_back(time_per_timer(timers, [&] { work.arm_all(); }));
    bytes = work.memory_bytes();
    work.shuffle();
    cancel.push_back(time_per_timer(timers, [&] { work.cancel_all(); }));
    work.arm_all();
    fire.push_back(time_per_timer(timers, [&] { work.fire_all(); }));
  }
  return {timers, median(arm), median(cancel), median(fire),
          static_cast<double>(bytes) / static_cast<double>(timers)};
}

} // namespace torpor::bench
