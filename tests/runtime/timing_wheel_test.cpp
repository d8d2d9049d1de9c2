// SPDX-License-Identifier: Apache-2.0
#include "runtime/timing_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>

using namespace torpor;

namespace {

using tick = timing_wheel::tick;
using timer = timing_wheel::timer;
using payloads = std::vector<std::uint64_t>;

constexpr tick tick_max = std::numeric_limits<tick>::max();
constexpr std::size_t levels = 8;
constexpr std::size_t chunk_bytes = 32 << 10;

/// A random number of a random magnitude.
tick any_magnitude(std::mt19937_64& random) {
  const auto bits = random() % 64;
  return random() >> bits;
}

tick saturating_add(tick a, tick b) {
  return a > tick_max - b ? tick_max : a + b;
}

payloads poll_all(timing_wheel& wheel, tick now) {
  payloads out;
  while (wheel.poll(now, out)) {}
  std::sort(out.begin(), out.end());
  return out;
}

/// Arms, cancels and polls at random, and compares each step with a multimap.
class model {
public:
  model(std::uint64_t seed, tick origin)
    : random_(seed),
      seed_(seed),
      now_(origin),
      wheel_(origin) {
    population_ = std::size_t{1} << below(14);
    work_max_ = std::size_t{1} << below(11);
  }

  void run(std::size_t operations) {
    while (operations_ < operations) {
      const auto choice = below(16);
      if (choice < 2)
        poll();
      else if (choice < 10 && live_.size() < population_)
        arm();
      else if (choice < 15)
        cancel();
      else
        cancel_stale();
      check_next();
    }
    poll_until(tick_max);
    check(live_.empty(), "every timer fires in the end");
  }

  std::size_t fired = 0;
  std::size_t cancelled = 0;
  std::size_t polls_cut_short = 0;

private:
  using place = std::multimap<tick, std::size_t>::iterator;

  struct armed_timer {
    std::uint64_t payload = 0;
    timer handle{};
    place where;
    std::size_t position = 0; // In live_.
    bool armed = false;
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  void check(bool holds, const char* promise) const {
    if (!holds)
      FAIL(std::string(promise) << "; seed " << seed_ << ", now " << now_);
  }

  tick some_deadline() {
    switch (below(8)) {
      case 0: return now_ - std::min<tick>(now_, below(1000));
      case 1:
      case 2:
      case 3: return saturating_add(now_, below(300));
      case 4:
      case 5: return saturating_add(now_, below(100'000));
      default: return saturating_add(now_, any_magnitude(random_));
    }
  }

  void arm() {
    ++operations_;
    std::size_t id = timers_.size();
    if (free_.empty()) {
      timers_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    auto& armed = timers_[id];
    const auto deadline = some_deadline();
    armed.payload = ++armed_count_ << 20 | id;
    armed.handle = wheel_.arm(deadline, armed.payload);
    armed.where = deadlines_.emplace(deadline, id);
    armed.position = live_.size();
    armed.armed = true;
    live_.push_back(id);
    check(armed.handle != timer{}, "a handle names a timer");
  }

  void cancel() {
    if (live_.empty())
      return;
    ++operations_;
    const auto id = live_[below(live_.size())];
    check(wheel_.cancel(timers_[id].handle), "an armed timer is cancelled");
    forget(id);
    ++cancelled;
  }

  void cancel_stale() {
    if (stale_.empty())
      return;
    ++operations_;
    check(!wheel_.cancel(stale_[below(stale_.size())]),
          "a timer that is gone is not cancelled");
  }

  void forget(std::size_t id) {
    auto& gone = timers_[id];
    deadlines_.erase(gone.where);
    live_[gone.position] = live_.back();
    timers_[live_.back()].position = gone.position;
    live_.pop_back();
    gone.armed = false;
    free_.push_back(id);
    if (stale_.size() < 4096)
      stale_.push_back(gone.handle);
    else
      stale_[below(stale_.size())] = gone.handle;
  }

  void poll() {
    ++operations_;
    switch (below(16)) {
      case 0: return poll_until(saturating_add(now_, tick{1} << below(45)));
      case 1:
      case 2: return poll_until(saturating_add(now_, below(5000)));
      case 3: return poll_until(now_ - std::min<tick>(now_, below(5000)));
      case 4:
      case 5: return poll_once(saturating_add(now_, below(500)));
      case 6:
      case 7: {
        const auto next = wheel_.next().value_or(now_);
        return poll_until(next - now_ < 1'000'000'000 ? next : now_);
      }
      default: return poll_until(saturating_add(now_, below(4)));
    }
  }

  void poll_until(tick now) {
    do
      poll_once(now);
    while (work_remains_);
  }

  void poll_once(tick now) {
    out_.clear();
    work_remains_ = wheel_.poll(now, out_, work_max_);
    now_ = std::max(now_, now);
    check(out_.size() <= work_max_, "a poll fires at most work_max timers");
    for (const auto payload : out_) {
      const auto id = payload & ((1 << 20) - 1);
      const auto& due = timers_[id];
      check(due.armed && due.payload == payload, "a timer fires once");
      check(due.where->first <= now_, "no timer fires early");
      forget(id);
    }
    fired += out_.size();
    polls_cut_short += work_remains_;
    check(work_remains_ || deadlines_.empty()
            || deadlines_.begin()->first > now_,
          "no timer that is due stays behind");
  }

  void check_next() const {
    check(wheel_.size() == live_.size(), "size() counts armed timers");
    const auto next = wheel_.next();
    check(next.has_value() == !live_.empty(), "next() is none when idle");
    if (!next)
      return;
    const auto earliest = deadlines_.begin()->first;
    check(*next >= now_, "next() is not in the past");
    check(*next <= std::max(now_, earliest), "next() is in time");
    check(work_remains_ || earliest <= now_ || *next > now_,
          "next() does not spin");
  }

  std::mt19937_64 random_;
  std::uint64_t seed_;
  tick now_;
  timing_wheel wheel_;
  std::size_t population_;
  std::size_t work_max_;
  std::size_t operations_ = 0;
  bool work_remains_ = false;
  std::uint64_t armed_count_ = 0;
  std::vector<armed_timer> timers_;
  std::vector<std::size_t> free_;
  std::vector<std::size_t> live_;
  std::multimap<tick, std::size_t> deadlines_;
  std::vector<timer> stale_;
  payloads out_;
};

} // namespace

TEST_SUITE_BEGIN("timing_wheel");

TEST_CASE("ten million random operations agree with a sorted map") {
  constexpr std::size_t rounds = 200;
  constexpr std::size_t operations = 50'000;
  std::mt19937_64 random(1);
  std::size_t fired = 0;
  std::size_t cancelled = 0;
  std::size_t polls_cut_short = 0;
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    const auto distance = any_magnitude(random);
    model checked(seed, seed % 4 == 0 ? tick_max - distance : distance);
    checked.run(operations);
    fired += checked.fired;
    cancelled += checked.cancelled;
    polls_cut_short += checked.polls_cut_short;
  }
  CHECK(fired > 1'000'000);
  CHECK(cancelled > 1'000'000);
  CHECK(polls_cut_short > 100'000);
}

TEST_CASE("a timer fires at its deadline, not before and only once") {
  timing_wheel wheel(1000);
  wheel.arm(1500, 7);
  CHECK(wheel.size() == 1);
  CHECK(poll_all(wheel, 1499).empty());
  CHECK(poll_all(wheel, 1500) == payloads{7});
  CHECK(wheel.size() == 0);
  CHECK(poll_all(wheel, 9000).empty());
}

TEST_CASE("a deadline that is now or past fires at the next poll") {
  timing_wheel wheel(1000);
  wheel.arm(1000, 1);
  wheel.arm(999, 2);
  wheel.arm(0, 3);
  CHECK(wheel.next() == 1000);
  CHECK(poll_all(wheel, 1000) == payloads{1, 2, 3});
}

TEST_CASE("the largest deadline fires at the end of time") {
  timing_wheel wheel;
  wheel.arm(tick_max, 1);
  CHECK(wheel.next() == tick_max);
  CHECK(poll_all(wheel, tick_max - 1).empty());
  CHECK(poll_all(wheel, tick_max) == payloads{1});
  wheel.arm(tick_max, 2);
  CHECK(poll_all(wheel, tick_max) == payloads{2});
}

TEST_CASE("a timer far away fires at its exact tick after one giant step") {
  constexpr tick thousand_years = tick{1000} * 365 * 24 * 3600 * 1000;
  timing_wheel wheel(123'456'789);
  wheel.arm(thousand_years, 1);
  wheel.arm(thousand_years + 1, 2);
  CHECK(poll_all(wheel, thousand_years - 1).empty());
  CHECK(poll_all(wheel, thousand_years) == payloads{1});
  CHECK(wheel.next() == thousand_years + 1);
}

TEST_CASE("deadlines on both sides of every level's edge fire exactly") {
  for (unsigned level = 1; level < levels; ++level) {
    const tick edge = tick{1} << 8 * level;
    timing_wheel wheel(edge - 3);
    for (tick deadline = edge - 2; deadline <= edge + 2; ++deadline)
      wheel.arm(deadline, deadline);
    for (tick now = edge - 2; now <= edge + 2; ++now) {
      CHECK(wheel.next() == now);
      CHECK(poll_all(wheel, now) == payloads{now});
    }
  }
}

TEST_CASE("time never goes back") {
  timing_wheel wheel(1000);
  wheel.arm(1100, 1);
  CHECK(poll_all(wheel, 1050).empty());
  CHECK(poll_all(wheel, 10).empty());
  wheel.arm(1040, 2);
  CHECK(wheel.next() == 1050);
  CHECK(poll_all(wheel, 0) == payloads{2});
  CHECK(poll_all(wheel, 1100) == payloads{1});
}

TEST_CASE("a cancelled timer does not fire and leaves its slot clean") {
  timing_wheel wheel;
  const auto first = wheel.arm(50'000, 1);
  const auto second = wheel.arm(50'000, 2);
  const auto third = wheel.arm(50'000, 3);
  CHECK(wheel.cancel(second));
  CHECK_FALSE(wheel.cancel(second));
  CHECK(poll_all(wheel, 50'000) == payloads{1, 3});
  CHECK_FALSE(wheel.cancel(first));
  CHECK_FALSE(wheel.cancel(third));
  CHECK(wheel.next() == std::nullopt);
}

TEST_CASE("no timer and foreign handles are refused") {
  timing_wheel wheel;
  CHECK_FALSE(wheel.cancel(timer{}));
  wheel.arm(1, 1);
  CHECK_FALSE(wheel.cancel(timer{}));
  CHECK_FALSE(wheel.cancel(timer{1}));
  CHECK_FALSE(wheel.cancel(timer{tick_max}));
  CHECK(wheel.size() == 1);
}

TEST_CASE("an old handle does not cancel a newer timer in its place") {
  timing_wheel wheel;
  const auto cancelled = wheel.arm(100, 1);
  wheel.cancel(cancelled);
  const auto fired = wheel.arm(100, 2);
  poll_all(wheel, 100);
  wheel.arm(200, 3);
  CHECK_FALSE(wheel.cancel(cancelled));
  CHECK_FALSE(wheel.cancel(fired));
  CHECK(poll_all(wheel, 200) == payloads{3});
}

TEST_CASE("a timer can be cancelled while a bounded poll has not reached it") {
  timing_wheel wheel;
  std::vector<timer> armed;
  for (std::uint64_t i = 0; i < 100; ++i)
    armed.push_back(wheel.arm(70'000, i));
  payloads out;
  REQUIRE(wheel.poll(70'000, out, 10));
  CHECK(out.size() == 10);
  std::size_t cancelled = 0;
  for (const auto handle : armed)
    cancelled += wheel.cancel(handle);
  CHECK(cancelled == 90);
  CHECK_FALSE(wheel.poll(70'000, out, 10));
  CHECK(out.size() == 10);
}

TEST_CASE("a million timers in one tick fire in bounded polls") {
  constexpr std::size_t timers = 1'000'000;
  constexpr std::size_t work_max = 1024;
  timing_wheel wheel;
  for (std::uint64_t i = 0; i < timers; ++i)
    wheel.arm(100'000, i);
  payloads fired;
  bool more = true;
  std::size_t polls = 0;
  for (; more; ++polls) {
    const auto before = fired.size();
    more = wheel.poll(100'000, fired, work_max);
    REQUIRE(fired.size() - before <= work_max);
    REQUIRE((!more || wheel.next() == 100'000));
  }
  CHECK(polls <= timers / work_max + 1);
  std::sort(fired.begin(), fired.end());
  REQUIRE(fired.size() == timers);
  CHECK(std::adjacent_find(fired.begin(), fired.end()) == fired.end());
}

TEST_CASE("moving a full slot to a lower level is bounded work as well") {
  constexpr std::size_t timers = 10'000;
  timing_wheel wheel;
  for (std::uint64_t i = 0; i < timers; ++i)
    wheel.arm(65'536 + 200, i);
  payloads out;
  std::size_t polls = 1;
  while (wheel.poll(65'536, out, 100))
    ++polls;
  CHECK(out.empty());
  CHECK(polls == timers / 100);
}

TEST_CASE("a timer armed while work remains fires in time") {
  timing_wheel wheel;
  for (std::uint64_t i = 0; i < 100; ++i)
    wheel.arm(70'000 + i, i);
  payloads out;
  REQUIRE(wheel.poll(70'000, out, 10));
  wheel.arm(69'000, 1001);
  wheel.arm(70'001, 1002);
  wheel.arm(70'099, 1003);
  CHECK(wheel.next() == 70'000);
  CHECK(poll_all(wheel, 70'000).back() == 1001);
  CHECK(poll_all(wheel, 70'001) == payloads{1, 1002});
  CHECK(poll_all(wheel, 70'099).size() == 99);
}

TEST_CASE("new timers that are overdue at once do not starve an older one") {
  timing_wheel wheel(1000);
  for (std::uint64_t i = 0; i < 101; ++i)
    wheel.arm(0, i == 50);
  payloads out;
  for (std::size_t i = 0; i < 200; ++i) {
    wheel.arm(0, 2);
    wheel.poll(1000, out, 1);
  }
  CHECK(std::count(out.begin(), out.end(), 1) == 1);
}

TEST_CASE("a timer less than a slot away is not moved before it fires") {
  timing_wheel wheel;
  payloads out;
  REQUIRE_FALSE(wheel.poll(70'000, out));
  for (std::uint64_t i = 0; i < 100; ++i)
    wheel.arm(70'010 + i, i);
  CHECK_FALSE(wheel.poll(70'009, out, 1));
  CHECK_FALSE(wheel.poll(70'010, out, 1));
  CHECK(out == payloads{0});
}

TEST_CASE("sleeping until next() wakes the owner only to fire, and exactly") {
  std::mt19937_64 random(2);
  timing_wheel wheel(77);
  constexpr std::size_t timers = 20'000;
  for (std::size_t i = 0; i < timers; ++i) {
    const auto deadline = saturating_add(78, any_magnitude(random));
    wheel.arm(deadline, deadline);
  }
  std::size_t fired = 0;
  while (const auto next = wheel.next()) {
    const auto out = poll_all(wheel, *next);
    REQUIRE(!out.empty());
    REQUIRE(out.front() == *next);
    REQUIRE(out.back() == *next);
    fired += out.size();
  }
  CHECK(fired == timers);
}

TEST_CASE("after cancels a timer costs at most one idle wake-up per level") {
  std::mt19937_64 random(3);
  for (std::size_t round = 0; round < 200; ++round) {
    timing_wheel wheel;
    const auto deadline = any_magnitude(random) | 1;
    wheel.arm(deadline, deadline);
    for (std::size_t i = 0; i < 1000; ++i)
      wheel.cancel(wheel.arm(random() % deadline, 0));
    std::size_t polls = 0;
    payloads out;
    while (const auto next = wheel.next()) {
      out = poll_all(wheel, *next);
      ++polls;
      REQUIRE((out.empty() || *next == deadline));
    }
    CHECK(out == payloads{deadline});
    CHECK(polls <= levels);
  }
}

TEST_CASE("nothing armed means nothing to wake up for") {
  timing_wheel wheel(5);
  CHECK(wheel.next() == std::nullopt);
  const auto only = wheel.arm(1'000'000, 1);
  CHECK(wheel.next() == 1'000'000);
  wheel.cancel(only);
  CHECK(wheel.next() == std::nullopt);
}

TEST_CASE("memory goes back after a peak, even if a late timer remains") {
  timing_wheel wheel;
  const auto empty = wheel.memory_bytes();
  wheel.arm(tick_max, 0);
  std::vector<timer> armed;
  for (std::uint64_t i = 0; i < 200'000; ++i)
    armed.push_back(wheel.arm(1 + i % 10'000, i));
  const auto peak = wheel.memory_bytes();
  CHECK(peak > 200'000 * 32);
  CHECK(poll_all(wheel, 10'000).size() == 200'000);
  CHECK(wheel.size() == 1);
  CHECK(wheel.memory_bytes() < empty + 3 * chunk_bytes);
  for (const auto handle : armed) // Also those whose memory is gone.
    REQUIRE_FALSE(wheel.cancel(handle));
  for (std::uint64_t i = 0; i < 200'000; ++i)
    wheel.arm(20'000, i);
  CHECK(wheel.memory_bytes() <= peak);
  for (const auto handle : armed)
    REQUIRE_FALSE(wheel.cancel(handle));
}

TEST_CASE("memory goes back only when no timer is left in it") {
  constexpr std::size_t chunk_timers = 1024;
  timing_wheel wheel;
  std::vector<timer> armed;
  for (std::uint64_t i = 0; i < 2 * chunk_timers; ++i)
    armed.push_back(wheel.arm(500, i));
  for (std::size_t round = 0; round < 3; ++round) {
    for (auto i = chunk_timers; i < 2 * chunk_timers; ++i)
      REQUIRE(wheel.cancel(armed[i]));
    for (auto i = chunk_timers; i < 2 * chunk_timers; ++i)
      armed[i] = wheel.arm(500, i);
  }
  for (std::size_t i = 0; i < chunk_timers; ++i)
    REQUIRE(wheel.cancel(armed[i]));
  const auto fired = poll_all(wheel, 500);
  REQUIRE(fired.size() == chunk_timers);
  CHECK(fired.front() == chunk_timers);
  CHECK(fired.back() == 2 * chunk_timers - 1);
}

TEST_CASE("a steady number of timers does not grow the wheel") {
  timing_wheel wheel;
  std::mt19937_64 random(4);
  std::vector<timer> armed;
  for (std::uint64_t i = 0; i < 5000; ++i)
    armed.push_back(wheel.arm(1 + random() % 10'000, i));
  const auto bytes = wheel.memory_bytes();
  for (std::size_t i = 0; i < 500'000; ++i) {
    auto& handle = armed[random() % armed.size()];
    REQUIRE(wheel.cancel(handle));
    handle = wheel.arm(1 + random() % 10'000, i);
  }
  CHECK(wheel.memory_bytes() == bytes);
}

TEST_SUITE_END();
