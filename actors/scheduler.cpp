// SPDX-License-Identifier: Apache-2.0
#include "actors/scheduler.hpp"

namespace torpor {

void scheduler_state::arm(const std::vector<deadline>& batch) {
  for (const auto& wanted : batch)
    wheel.arm(wanted.tick, raw(wanted.stream));
  sleep();
}

void scheduler_state::turn() {
  const auto now = clock->monotonic_ms();
  calls.erase(calls.begin(), calls.upper_bound(now));
  const auto more = wheel.poll(now, fired);
  send_due();
  if (more)
    self->send(self, wheel_atom::value);
  else
    sleep();
}

void scheduler_state::send_due() {
  std::vector<std::vector<stream_id>> due(all->shards.size());
  const auto shards = static_cast<std::uint32_t>(due.size());
  for (const auto payload : fired) {
    const stream_id id{payload};
    if (id == stream_id{})
      self->send(all->journal, later_atom::value);
    else
      due[shard_of(id, shards)].push_back(id);
  }
  fired.clear();
  for (std::uint32_t i = 0; i < shards; ++i)
    if (!due[i].empty())
      self->send(all->shards[i], due_atom::value, std::move(due[i]));
}

void scheduler_state::sleep() {
  all->armed = wheel.size();
  const auto next = wheel.next();
  // An earlier call that is on its way will look again.
  if (!next || (!calls.empty() && *calls.begin() <= *next))
    return;
  calls.insert(*next);
  const auto now = clock->monotonic_ms();
  const auto delay = *next > now ? *next - now : 0;
  self->delayed_send(self, std::chrono::milliseconds{delay},
                     wheel_atom::value);
}

scheduler_actor::behavior_type
scheduler(scheduler_actor::stateful_pointer<scheduler_state> self,
          std::shared_ptr<torpor::clock> clock, std::shared_ptr<roster> all) {
  auto& state = self->state;
  state.self = self;
  state.clock = std::move(clock);
  state.all = std::move(all);
  return {
    [&state](arm_atom, const std::vector<deadline>& batch) {
      state.arm(batch);
    },
    [&state](wheel_atom) { state.turn(); },
  };
}

} // namespace torpor
