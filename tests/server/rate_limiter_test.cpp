// SPDX-License-Identifier: Apache-2.0
#include "server/rate_limiter.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace torpor {

TEST_SUITE_BEGIN("rate_limiter");

TEST_CASE("a second's worth of requests may come at once, then no more") {
  rate_limiter limiter{{.requests = 5}};
  for (int i = 0; i < 5; ++i)
    CHECK(limiter.admit("acme", 0, 1000) == 0);
  CHECK(limiter.admit("acme", 0, 1000) == 1);
  CHECK(limiter.admit("acme", 0, 1199) == 1);
  CHECK(limiter.admit("acme", 0, 1200) == 0); // One has come back.
  CHECK(limiter.admit("acme", 0, 1200) == 1);
}

TEST_CASE("in the long run as many requests pass as the rate says") {
  rate_limiter limiter{{.requests = 10}};
  int passed = 0;
  for (std::uint64_t ms = 0; ms < 100'000; ++ms)
    passed += limiter.admit("acme", 0, ms) == 0 ? 1 : 0;
  CHECK(passed >= 1000);
  CHECK(passed <= 1010); // And what may come at once.
}

TEST_CASE("a refused request takes nothing") {
  rate_limiter limiter{{.requests = 1}};
  CHECK(limiter.admit("acme", 0, 0) == 0);
  for (std::uint64_t ms = 0; ms < 1000; ms += 10)
    CHECK(limiter.admit("acme", 0, ms) == 1);
  CHECK(limiter.admit("acme", 0, 1000) == 0);
}

TEST_CASE("tenants do not take from each other") {
  rate_limiter limiter{{.requests = 1}};
  CHECK(limiter.admit("acme", 0, 0) == 0);
  CHECK(limiter.admit("acme", 0, 0) == 1);
  CHECK(limiter.admit("zoo", 0, 0) == 0);
}

TEST_CASE("bytes are limited apart from requests") {
  rate_limiter limiter{{.bytes = 1000}};
  CHECK(limiter.admit("acme", 600, 0) == 0);
  CHECK(limiter.admit("acme", 600, 0) == 1);
  CHECK(limiter.admit("acme", 400, 0) == 0);
  CHECK(limiter.admit("acme", 600, 599) == 1);
  CHECK(limiter.admit("acme", 600, 600) == 0);
}

TEST_CASE("a body larger than a second's worth passes and is paid off after") {
  rate_limiter limiter{{.bytes = 1000}};
  CHECK(limiter.admit("acme", 1, 0) == 0);
  CHECK(limiter.admit("acme", 10'000, 0) == 1); // Not before all is there.
  CHECK(limiter.admit("acme", 10'000, 1) == 0);
  CHECK(limiter.admit("acme", 0, 1) == 9);
  CHECK(limiter.admit("acme", 0, 9'000) == 1);
  CHECK(limiter.admit("acme", 0, 9'001) == 0);
}

TEST_CASE("answers are taken off, too, and stop what comes next") {
  rate_limiter limiter{{.bytes = 1000}};
  limiter.charge("acme", 5000, 0);
  CHECK(limiter.admit("acme", 0, 0) == 4);
  CHECK(limiter.admit("acme", 0, 4000) == 0);
}

TEST_CASE("no debt is longer than a day") {
  rate_limiter limiter{{.bytes = 1}};
  for (int i = 0; i < 100; ++i)
    limiter.charge("acme", ~std::uint64_t{0}, 0);
  CHECK(limiter.admit("acme", 0, 0) <= 86'400);
}

TEST_CASE("tenants whose buckets are full again are forgotten") {
  rate_limiter limiter{{.requests = 10}};
  for (int i = 0; i < 200'000; ++i)
    CHECK(limiter.admit(std::to_string(i), 0,
                        static_cast<std::uint64_t>(i)) == 0);
  CHECK(limiter.size() < 16 * 128); // Of 100 that have taken from theirs.
}

TEST_CASE("without limits nothing is refused and nothing kept") {
  rate_limiter limiter{{}};
  CHECK(!limiter.limits());
  for (int i = 0; i < 10'000; ++i)
    CHECK(limiter.admit("acme", 1 << 20, 0) == 0);
  CHECK(limiter.size() == 0);
}

TEST_CASE("threads together get no more than the rate") {
  rate_limiter limiter{{.requests = 1000}};
  std::atomic<int> passed{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 1000; ++j)
          passed += limiter.admit("acme", 0, 0) == 0 ? 1 : 0;
      });
  }
  CHECK(passed == 1000);
}

TEST_SUITE_END();

} // namespace torpor
