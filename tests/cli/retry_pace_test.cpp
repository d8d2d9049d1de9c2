// SPDX-License-Identifier: Apache-2.0
#include "cli/retry_pace.hpp"

#include <doctest/doctest.h>

using namespace torpor;
using namespace std::chrono_literals;
using seconds = retry_pace::seconds;

namespace {

constexpr steady::time_point start{};

} // namespace

TEST_SUITE_BEGIN("retry_pace");

TEST_CASE("pauses grow up to a second") {
  retry_pace pace;
  for (const auto expected : {0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0})
    CHECK(pace.next(start, {})->count() == doctest::Approx(expected));
}

TEST_CASE("half a minute counts from the first failure, not from the request") {
  retry_pace pace;
  const auto failed = start + 1h; // Of a long-poll, say.
  CHECK(pace.next(failed, {}));
  CHECK(pace.next(failed + 28s, {}));
  CHECK_FALSE(pace.next(failed + 30s, {}));
}

TEST_CASE("a server that says when to come again is believed") {
  retry_pace pace;
  CHECK(pace.next(start, seconds{7}) == seconds{7});
  CHECK(pace.next(start + 7s, seconds{0}) == seconds{0});
  CHECK(pace.next(start + 7s, seconds{23}) == seconds{23});
  CHECK_FALSE(pace.next(start + 7s, seconds{24}));
}

TEST_CASE("a server that asks for an hour is asked after half a minute") {
  retry_pace pace;
  CHECK(pace.next(start, seconds{3600}) == retry_pace::patience);
}

TEST_SUITE_END();
