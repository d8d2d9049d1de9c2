// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/clock.hpp"

#include <atomic>

namespace torpor::test {

/// Clocks that are turned by hand. Threads: any.
class manual_clock final : public clock {
public:
  [[nodiscard]] std::int64_t wall_ms() const override { return wall; }
  [[nodiscard]] std::uint64_t monotonic_ms() const override {
    return monotonic;
  }

  std::atomic<std::int64_t> wall{1'700'000'000'000};
  std::atomic<std::uint64_t> monotonic{1'000};
};

} // namespace torpor::test
