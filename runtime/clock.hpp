// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace torpor {

/// Where the time comes from, so that tests can turn it by hand.
/// Threads: any.
class clock {
public:
  virtual ~clock() = default;

  /// ms since 1970, for timestamps only: it may jump both ways.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;

  /// ms from any origin; never goes back. For deadlines.
  [[nodiscard]] virtual std::uint64_t monotonic_ms() const = 0;
};

/// The machine's clocks.
class system_clock final : public clock {
public:
  [[nodiscard]] std::int64_t wall_ms() const override {
    using namespace std::chrono;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return duration_cast<milliseconds>(now).count();
  }
  [[nodiscard]] std::uint64_t monotonic_ms() const override {
    using namespace std::chrono;
    const auto now = steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(now).count());
  }
};

} // namespace torpor
