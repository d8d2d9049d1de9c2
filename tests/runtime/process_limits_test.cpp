// SPDX-License-Identifier: Apache-2.0
#include "runtime/process_limits.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace torpor;

TEST_SUITE("process_limits") {
  TEST_CASE("threads that can be started are no error") {
    CHECK(check_threads(4, "a test", "nothing"));
  }

  TEST_CASE("a small address space is refused with the remedy") {
    constexpr std::uint64_t gib = 1u << 30;
    CHECK(check_address_space(gib));
    const auto fits = check_address_space(gib - 1);
    REQUIRE_FALSE(fits);
    CHECK(fits.error().code == errc::io_failed);
    CHECK(fits.error().context.find("1023 MiB") != std::string::npos);
    CHECK(fits.error().context.find("ulimit -v") != std::string::npos);
  }
}
