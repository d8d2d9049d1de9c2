// SPDX-License-Identifier: Apache-2.0
#include "runtime/process_limits.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

using namespace torpor;

TEST_SUITE("process_limits") {
  TEST_CASE("threads that can be started are no error") {
    CHECK(check_threads(4, "a test", "nothing"));
  }

  TEST_CASE("a small address space is refused with the remedy") {
    struct ::rlimit before {};
    REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
    auto bound = before;
    bound.rlim_cur = 512u << 20;
    // Sanitizers take more than that before anybody asks.
    if (before.rlim_cur != RLIM_INFINITY && before.rlim_cur < bound.rlim_cur)
      return;
    REQUIRE(::setrlimit(RLIMIT_AS, &bound) == 0);
    const auto fits = check_address_space();
    REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
    REQUIRE_FALSE(fits);
    CHECK(fits.error().code == errc::io_failed);
    CHECK(fits.error().context.find("512 MiB") != std::string::npos);
    CHECK(fits.error().context.find("ulimit -v") != std::string::npos);
    CHECK(check_address_space());
  }
}
