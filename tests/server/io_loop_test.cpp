// SPDX-License-Identifier: Apache-2.0
#include "server/io_loop.hpp"

#include "tests/support/manual_clock.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using namespace torpor;

namespace {

/// A loop whose clock is turned by hand.
struct fixture {
  /// Runs what is ready.
  void run_ready() { loop.context().poll(); }

  /// Moves the clock and calls what is due then.
  void turn(std::uint64_t ms) {
    time.monotonic += ms;
    loop.call_due();
  }

  [[nodiscard]] io_loop::timer
  call_in(std::uint64_t ms, std::function<void()> then) {
    return loop.call_at(loop.now_ms() + ms, std::move(then));
  }

  test::manual_clock time;
  io_loop loop{time};
  std::string log;
};

} // namespace

TEST_CASE_FIXTURE(fixture, "many posted tasks cost one wake-up, in their order") {
  for (const auto* const each : {"a", "b", "c"})
    loop.post([this, each] { log += each; });
  CHECK(loop.context().poll_one() == 1);
  CHECK(log == "abc");
  CHECK(loop.context().poll_one() == 0);
}

TEST_CASE_FIXTURE(fixture, "a task that posts a task does not hold others up") {
  loop.post([this] {
    log += "a";
    loop.post([this] { log += "c"; });
  });
  loop.post([this] { log += "b"; });
  run_ready();
  CHECK(log == "abc");
}

TEST_CASE_FIXTURE(fixture, "the end of a round comes after all that is ready") {
  const auto ready = [this](const char* name, auto then) {
    boost::asio::post(loop.context(), [this, name, then] {
      log += name;
      then();
    });
  };
  ready("a", [this] {
    loop.at_end_of_round([this] {
      log += "-";
      loop.at_end_of_round([this] { log += "="; });
    });
    loop.at_end_of_round([this] { log += "+"; });
  });
  ready("b", [this] { loop.at_end_of_round([this] { log += "*"; }); });
  ready("c", [] {});
  run_ready();
  CHECK(log == "abc-+*=");
}

TEST_CASE_FIXTURE(fixture, "a timer calls once, not before its time") {
  const auto armed = call_in(10, [this] { log += "x"; });
  turn(9);
  CHECK(log == "");
  turn(1);
  CHECK(log == "x");
  turn(1000);
  CHECK(log == "x");
  CHECK_FALSE(loop.cancel(armed));
}

TEST_CASE_FIXTURE(fixture, "a cancelled timer does not call") {
  const auto armed = call_in(10, [this] { log += "x"; });
  const auto later = call_in(20, [this] { log += "y"; });
  CHECK(loop.cancel(armed));
  CHECK_FALSE(loop.cancel(armed));
  CHECK_FALSE(loop.cancel(io_loop::timer{}));
  turn(100);
  CHECK(log == "y");
  CHECK_FALSE(loop.cancel(later));
}

TEST_CASE_FIXTURE(fixture, "a timer can cancel one that is due with it") {
  io_loop::timer armed[2];
  for (int i : {0, 1})
    armed[i] = call_in(5, [this, i, &armed] {
      log += "x";
      CHECK(loop.cancel(armed[1 - i]));
    });
  turn(5);
  CHECK(log == "x");
  // Their places are free again, each once.
  for (int i : {0, 1})
    armed[i] = call_in(5, [this, i] { log += std::to_string(i); });
  CHECK(armed[0].place != armed[1].place);
  turn(5);
  CHECK(log.size() == 3);
}

TEST_CASE_FIXTURE(fixture, "a timer's name is good for nothing after its time") {
  std::vector<io_loop::timer> armed;
  for (int i = 0; i < 5000; ++i)
    armed.push_back(call_in(5, [] {}));
  turn(5);
  run_ready();
  for (const auto& each : armed)
    REQUIRE_FALSE(loop.cancel(each));
  std::ignore = call_in(5, [this] { log += "x"; });
  for (const auto& each : armed)
    REQUIRE_FALSE(loop.cancel(each));
  turn(5);
  CHECK(log == "x");
}

TEST_CASE_FIXTURE(fixture, "more timers than one step calls are all called") {
  int called = 0;
  for (int i = 0; i < 5000; ++i)
    std::ignore = call_in(5, [&called] { ++called; });
  turn(5);
  run_ready();
  CHECK(called == 5000);
}

TEST_CASE_FIXTURE(fixture, "a loop with nothing due has nothing to run") {
  CHECK(loop.context().poll() == 0);
  std::ignore = call_in(10'000, [] {});
  CHECK(loop.context().poll() == 0);
}

TEST_CASE("a running loop calls timers and posted tasks, and stops") {
  io_loop loop;
  std::string log;
  const auto begin = loop.now_ms();
  std::ignore = loop.call_at(begin + 30, [&] {
    log += "late";
    CHECK(loop.now_ms() >= begin + 30);
    loop.stop();
  });
  std::ignore = loop.call_at(begin + 1, [&] { log += "early "; });
  std::thread other{[&] { loop.post([&] { log += "posted "; }); }};
  other.join();
  loop.run();
  CHECK(log == "posted early late");
  loop.post([&] { log += "!"; });
  CHECK(log == "posted early late");
}
