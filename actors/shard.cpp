// SPDX-License-Identifier: Apache-2.0
#include "actors/shard.hpp"

#include "actors/fork.hpp"
#include "actors/stream.hpp"

namespace torpor {

namespace {

/// Stream actors a shard keeps without a stream: enough for the syncs of a
/// busy moment, little memory when it is over.
constexpr std::size_t parked_max = 1024;

} // namespace

void shard_state::wake(std::uint32_t at) {
  if (awake.size() <= at)
    awake.resize(at + 1);
  if (parked.empty()) {
    awake[at] = stream_impl::make(self->system(), all);
  } else {
    awake[at] = std::move(parked.back());
    parked.pop_back();
  }
}

void shard_state::hibernate(std::uint32_t at) {
  if (parked.size() < parked_max)
    parked.push_back(std::move(awake[at]));
  else
    awake[at].reset();
}

void shard_state::flush() {
  auto& out = table->out();
  for (const auto at : out.woken)
    wake(at);
  out.woken.clear();
  for (auto* block : out.syncs)
    awake[block->awake]->enqueue(
      caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                sync_atom::value, sync_job{block}),
      self->context());
  out.syncs.clear();
  for (auto* block : out.again)
    if (all->queue.push(block))
      self->send(all->journal, commit_atom::value);
  out.again.clear();
  for (const auto at : out.hibernated)
    hibernate(at);
  out.hibernated.clear();
  if (!out.deadlines.empty())
    self->send(all->scheduler, arm_atom::value,
               std::exchange(out.deadlines, {}));
  for (auto& job : out.reads) {
    next_reader = (next_reader + 1) % all->readers.size();
    self->send(all->readers[next_reader], read_atom::value,
               handoff<read_job>{std::make_unique<read_job>(std::move(job))});
  }
  out.reads.clear();
  for (auto& request : out.forwards) {
    const auto& owner = all->shard(request->stream);
    self->send(owner, read_atom::value,
               handoff<read_request>{std::move(request)});
  }
  out.forwards.clear();
  for (const auto& each : std::exchange(out.unpins, {}))
    unpin(*all, each);
  for (auto& each : std::exchange(out.doubts, {}))
    ask_for_fork(all, std::move(each));
  if (const auto bytes = table->records().take_deleted_bytes();
      bytes > 0 && all->count_deleted(bytes))
    self->send(all->sealer, sweep_atom::value);
  if (std::exchange(out.save, false))
    self->send(all->sealer, save_atom::value);
  if (std::exchange(out.relief, false))
    for (const auto& other : all->shards)
      self->send(other, ask_atom::value,
                 table_task{[](stream_table& it) { it.relieve(); }});
  for (auto& batch : out.done)
    write_batch::finish(std::move(batch));
  out.done.clear();
}

void shard_state::write(std::unique_ptr<write_batch> batch) {
  if (batch)
    table->write(std::move(batch));
  flush();
}

void shard_state::read(std::unique_ptr<read_request> request) {
  if (request)
    table->read(std::move(request));
  flush();
}

void shard_state::committed(const commit_report& report) {
  if (report.no_room)
    table->refused(report.blocks, report.held, *report.failure);
  else if (report.failure)
    table->failed(report.blocks, *report.failure);
  else
    table->committed(report.blocks);
  flush();
}

shard_actor::behavior_type
shard(shard_actor::stateful_pointer<shard_state> self, stream_table* table,
      std::shared_ptr<roster> all) {
  auto& state = self->state;
  state.self = self;
  state.table = table;
  state.all = std::move(all);
  return {
    [&state](write_atom, const handoff<write_batch>& batch) {
      state.write(batch.take());
    },
    [&state](read_atom, const handoff<read_request>& request) {
      state.read(request.take());
    },
    [&state](cancel_atom, std::uint64_t ticket) {
      state.table->cancel(ticket);
    },
    [&state](ask_atom, const table_task& task) {
      task(*state.table);
      state.flush();
    },
    [&state](due_atom, const std::vector<stream_id>& streams) {
      state.table->due(streams);
      state.flush();
    },
    [&state](committed_atom, const std::shared_ptr<commit_report>& report) {
      state.committed(*report);
    },
    [&state](full_atom, const std::shared_ptr<const error>& why) {
      state.table->full(why.get());
    },
  };
}

} // namespace torpor
