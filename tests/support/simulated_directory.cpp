// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_directory.hpp"

#include <utility>

namespace torpor::test {

void simulated_directory::apply(const change& done, names& onto) {
  std::erase_if(onto,
                [&](const auto& known) { return known.second == done.file; });
  if (!done.name.empty())
    onto[done.name] = done.file;
}

void simulated_directory::name(const inode& file, const std::string& name) {
  unsynced_.push_back({file, name});
  apply(unsynced_.back(), visible_);
  sync_failed_ = false;
}

simulated_directory::inode
simulated_directory::find(const std::string& name) const {
  const auto found = visible_.find(name);
  return found == visible_.end() ? nullptr : found->second;
}

void simulated_directory::sync() {
  for (const auto& done : std::exchange(unsynced_, {}))
    apply(done, durable_);
}

void simulated_directory::fail_sync(dice& chance) {
  settle(chance, chance.coin() ? unsynced::dropped : unsynced::by_chance);
  sync_failed_ = true;
}

void simulated_directory::sync_falsely(dice& chance) {
  if (unsynced_.empty())
    return;
  chance.note(happening::lying_directory_sync);
  if (chance.coin())
    settle(chance, chance.coin() ? unsynced::dropped : unsynced::by_chance);
}

void simulated_directory::lose_power(dice& chance, unsynced fate) {
  settle(chance, fate);
  visible_ = durable_;
  sync_failed_ = false;
}

void simulated_directory::settle(dice& chance, unsynced fate) {
  if (fate == unsynced::kept)
    sync();
  const auto changes = std::exchange(unsynced_, {});
  if (changes.empty())
    return;
  if (fate == unsynced::dropped)
    return chance.note(happening::lost_name);
  const auto any = chance.coin();
  const auto prefix = chance.below(changes.size() + 1);
  auto all_before = true;
  for (std::size_t n = 0; n < changes.size(); ++n) {
    const auto kept = any ? chance.coin() : n < prefix;
    if (kept)
      apply(changes[n], durable_);
    if (!kept || !all_before)
      chance.note(kept ? happening::reordered_names : happening::lost_name);
    all_before = all_before && kept;
  }
}

} // namespace torpor::test
