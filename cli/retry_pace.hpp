// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/seconds.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace torpor {

/// When a request that failed is sent again, and how often: for half a minute
/// from its first failure on, however long it had to wait for that, with pauses
/// that grow.
/// Threads: one owner.
class retry_pace {
public:
  using seconds = std::chrono::duration<double>;
  static constexpr seconds patience{30};

  /// How long to wait after a failure: as long as the server wants, if it said
  /// so. Nullopt: it has been tried long enough.
  [[nodiscard]] std::optional<seconds>
  next(steady::time_point now, std::optional<seconds> wanted) {
    if (!first_failure_)
      first_failure_ = now;
    const auto pause = wanted ? std::min(*wanted, patience) : pause_;
    pause_ = std::min(pause_ * 2, longest_pause);
    if (seconds{now - *first_failure_} + pause > patience)
      return std::nullopt;
    return pause;
  }

private:
  static constexpr seconds longest_pause{1};

  std::optional<steady::time_point> first_failure_;
  seconds pause_{0.05};
};

} // namespace torpor
