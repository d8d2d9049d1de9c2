// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"
#include "runtime/clock.hpp"
#include "runtime/timing_wheel.hpp"

#include <memory>
#include <set>
#include <vector>

namespace torpor {

/// Owns the timing wheel. Sleeps until the earliest deadline; nothing wakes it
/// while nothing is armed.
struct scheduler_state {
  static inline const char* name = "scheduler";

  void arm(const std::vector<deadline>& batch);
  void turn();
  void send_due();
  void sleep();

  scheduler_actor::pointer self = nullptr;
  std::shared_ptr<torpor::clock> clock;
  std::shared_ptr<roster> all;
  timing_wheel wheel; ///< Only this actor touches it.
  std::set<std::uint64_t> calls; ///< When CAF's clock will call.
  std::vector<std::uint64_t> fired;
};

/// Due streams go to their shards, stream 0 to the journal.
scheduler_actor::behavior_type
scheduler(scheduler_actor::stateful_pointer<scheduler_state> self,
          std::shared_ptr<torpor::clock> clock, std::shared_ptr<roster> all);

} // namespace torpor
