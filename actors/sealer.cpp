// SPDX-License-Identifier: Apache-2.0
#include "actors/sealer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace torpor {

namespace {

/// Records of one catalog transaction: a shard copies them in about 2 ms.
constexpr std::size_t chunk = 8192;

} // namespace

void sealer_state::prepare(std::uint32_t number) {
  auto made = journal::prepare(*work.files, work.journal, number);
  self->send(all->journal, spare_atom::value,
             handoff<prepared_file>{std::make_unique<prepared_file>(
               prepared_file{number, std::move(made)})});
}

void sealer_state::save(std::uint32_t journal_first,
                        std::function<void()> done) {
  wanted_ = std::max(wanted_, journal_first);
  if (done)
    waiting_.push_back(std::move(done));
  if (!saving_)
    start_checkpoint();
}

// A record that is saved may be newer than the journal position of the
// checkpoint: replaying older blocks onto it changes nothing (see `apply`).
// So shards give their records chunk by chunk, each chunk is a transaction of
// its own, and only the last one moves the position.
void sealer_state::start_checkpoint() {
  saving_ = true;
  goal_ = std::exchange(wanted_, 0);
  done_.swap(waiting_);
  shard_ = 0;
  for (const auto& each : all->shards)
    self->send(each, ask_atom::value, table_task{[](stream_table& table) {
                 table.records().begin_checkpoint();
               }});
  collect(true);
}

void sealer_state::collect(bool success) {
  const sealer_actor me{self};
  self->send(all->shards[shard_], ask_atom::value,
             table_task{[me, success](stream_table& table) {
               auto& records = table.records();
               records.saved(success);
               auto changes = std::make_shared<std::vector<catalog_change>>();
               if (success)
                 *changes = records.collect(chunk);
               caf::anon_send(me, saved_atom::value, std::move(changes));
             }});
}

void sealer_state::saved(std::vector<catalog_change>& changes) {
  if (changes.empty()) {
    if (++shard_ < all->shards.size())
      collect(true);
    else
      finish_checkpoint();
    return;
  }
  const auto done = work.records->update(changes, std::nullopt);
  if (done)
    return collect(true);
  spdlog::error("checkpoint-failed error=\"{}\"", done.error().context);
  // All that is left of this checkpoint is tried again with the next one.
  for (; shard_ < all->shards.size(); ++shard_)
    self->send(all->shards[shard_], ask_atom::value,
               table_task{[](stream_table& table) {
                 table.records().saved(false);
               }});
  end_checkpoint(false);
}

void sealer_state::finish_checkpoint() {
  auto state = work.state;
  state.journal_first = goal_;
  std::vector<catalog_change> nothing;
  const auto done = work.records->update(nothing, state);
  if (done)
    work.state = state;
  else
    spdlog::error("checkpoint-failed error=\"{}\"", done.error().context);
  end_checkpoint(done.has_value());
}

void sealer_state::end_checkpoint(bool success) {
  if (success)
    spdlog::debug("checkpoint-done journal_first={}", goal_);
  saving_ = false;
  for (const auto& call : std::exchange(done_, {}))
    call();
  if (wanted_ != 0)
    start_checkpoint();
}

sealer_actor::behavior_type
sealer(sealer_actor::stateful_pointer<sealer_state> self,
       sealer_state::tools work, std::shared_ptr<roster> all) {
  auto& state = self->state;
  state.self = self;
  state.work = std::move(work);
  state.all = std::move(all);
  return {
    [&state](prepare_atom, std::uint32_t number) { state.prepare(number); },
    [&state](save_atom, std::uint32_t journal_first,
             const std::function<void()>& done) {
      state.save(journal_first, done);
    },
    [&state](saved_atom,
             const std::shared_ptr<std::vector<catalog_change>>& changes) {
      state.saved(*changes);
    },
  };
}

} // namespace torpor
