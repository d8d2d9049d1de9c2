// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/driver.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

namespace {

using torpor::test::driver;

/// TORPOR_SEEDS=A..B plays other seeds than the suite's own and prints the
/// trace of the first that fails.
struct seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 1000;

  seeds() {
    const auto* wanted = std::getenv("TORPOR_SEEDS");
    if (wanted == nullptr)
      return;
    char* rest = nullptr;
    first = last = std::strtoull(wanted, &rest, 10);
    if (rest[0] == '.' && rest[1] == '.')
      last = std::strtoull(rest + 2, nullptr, 10);
  }
};

} // namespace

TEST_SUITE_BEGIN("simulation");

TEST_CASE("nothing acknowledged is lost, whatever the disk does") {
  const seeds range;
  std::size_t sealed = 0;
  for (auto seed = range.first; seed <= range.last; ++seed) {
    driver play{seed};
    const auto wrong = play.play();
    sealed += play.segments();
    if (wrong.empty())
      continue;
    MESSAGE(play.trace());
    FAIL("seed ", seed, ": ", wrong);
  }
  MESSAGE(sealed, " segments");
  CHECK((sealed > 0 || range.first != 1)); // It is a part of what is played.
}

TEST_SUITE_END();
