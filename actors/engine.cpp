// SPDX-License-Identifier: Apache-2.0
#include "actors/engine.hpp"

#include "actors/countdown.hpp"
#include "actors/merger.hpp"
#include "actors/reader.hpp"
#include "actors/scheduler.hpp"
#include "actors/sealer.hpp"
#include "actors/shard.hpp"
#include "actors/work_stealing.hpp"
#include "runtime/assert.hpp"

#include <caf/scheduler/coordinator.hpp>
#include <fmt/format.h>

#include <future>

namespace torpor {

namespace {

std::unique_ptr<caf::actor_system_config>
own_config(const pool_options& options) {
  auto config = std::make_unique<caf::actor_system_config>();
  config->load<caf::scheduler::coordinator<work_stealing>>();
  config->set("scheduler.max-threads", options.workers);
  // One message a turn: what it made for others is run by whoever is next, and
  // does not wait behind the rest of a mailbox.
  config->set("scheduler.max-throughput", std::size_t{1});
  // A host's command line and caf-application.ini are none of our business.
  config->set("logger.verbosity", caf::atom("quiet"));
  return config;
}

error over_budget(const account& budget, std::uint64_t bytes) {
  if (bytes > budget.limit())
    return {errc::too_large,
            fmt::format("a batch of {} bytes is more than "
                        "memory.buffered-bytes-max, {}",
                        bytes, budget.limit())};
  return {errc::overloaded,
          fmt::format("{} bytes are buffered, memory.buffered-bytes-max is {}; "
                      "retry in a few ms",
                      budget.used(), budget.limit())};
}

} // namespace

engine::engine(std::unique_ptr<store> opened, place where)
  : store_(std::move(opened)),
    shards_(store_->config.pool.shards),
    system_(where.host),
    all_(std::make_shared<roster>()),
    counters_(std::make_shared<journal_counters>()) {
  if (system_ == nullptr) {
    config_ = own_config(store_->config.pool);
    own_ = std::make_unique<caf::actor_system>(*config_);
    system_ = own_.get();
  }
  journal_ = std::make_shared<journal>(*store_->world.disk, store_->journal,
                                       store_->scan.end);
  all_->deleted_bytes = store_->state.deleted_bytes;
}

engine::~engine() {
  stopping_ = true; // What is dropped now may ask for more.
  join();
}

result<std::shared_ptr<engine>> engine::start(std::unique_ptr<store> opened,
                                              place where) {
  std::shared_ptr<engine> made{new engine{std::move(opened), where}};
  made->spawn(where.detached);
  return made;
}

void engine::spawn(bool detached) {
  auto& system = *system_;
  const auto& options = store_->config;
  const auto& world = store_->world;
  const journal_state::tools journal_tools{
    journal_,
    world.clock,
    counters_,
    options.journal.idle_mark,
    options.journal.file_bytes / 4,
    static_cast<std::uint32_t>(store_->state.journal_first),
    store_->scan.end,
    world.clock->monotonic_ms()};
  const sealer_state::tools sealer_tools{
    world.disk.get(),
    store_->records.get(),
    journal_,
    store_->journal,
    segment_directory(options.data_dir),
    options.segments,
    store_->state,
    store_->segments,
    store_->kept_before};
  // The journal waits for the disk on a thread of the pool: what it answers is
  // handled on that thread next, without waking another one.
  all_->journal = system.spawn<caf::hidden>(journal_writer, journal_tools,
                                            all_);
  // The sealer is long at work, on a thread of its own.
  all_->sealer = detached
                   ? system.spawn<caf::detached + caf::hidden>(
                     sealer, sealer_tools, all_)
                   : system.spawn<caf::hidden>(sealer, sealer_tools, all_);
  const merger_state::tools merger_tools{world.disk.get(),
                                         store_->records.get(),
                                         segment_directory(options.data_dir),
                                         detached};
  all_->merger = detached
                   ? system.spawn<caf::detached + caf::hidden>(
                     merger, merger_tools, all_)
                   : system.spawn<caf::hidden>(merger, merger_tools, all_);
  all_->scheduler = system.spawn<caf::hidden>(scheduler, world.clock, all_);
  for (std::uint32_t i = 0; i < options.pool.readers; ++i)
    all_->readers.push_back(system.spawn<caf::hidden>(
      reader, world.disk, store_->journal.directory, all_));
  for (auto& table : store_->tables)
    all_->shards.push_back(
      system.spawn<caf::hidden>(torpor::shard, table.get(), all_));
  // Before the first request comes, so that what has expired is not found.
  for (const auto& each : all_->shards)
    caf::anon_send(each, ask_atom::value, table_task{[](stream_table& table) {
                     table.start_retention();
                   }});
  // The list of the opening would keep files open, and their room taken, that
  // merges have replaced since.
  store_->segments.reset();
  // A spare file is made before anybody needs it.
  caf::anon_send(all_->journal, later_atom::value);
}

std::uint32_t engine::shard(stream_ref stream) const noexcept {
  return stream.id != stream_id{} ? shard_of(stream.id, shards_)
                                  : shard_of(stream.name, shards_);
}

void engine::submit(std::uint32_t shard, std::unique_ptr<write_batch> batch) {
  const auto bytes = batch->memory_bytes();
  auto& budget = store_->budget->all();
  auto over = false;
  {
    const std::shared_lock gate{gate_};
    // What frees memory is let in over the budget.
    if (!stopping_ && !batch->adds())
      budget.charge(bytes);
    else
      over = !stopping_ && !budget.try_charge(bytes);
    if (!stopping_ && !over) {
      batch->queued(true);
      caf::anon_send(all_->shards[shard], write_atom::value,
                     handoff<write_batch>{std::move(batch)});
      return;
    }
    if (over)
      ask_relief();
  }
  if (!over)
    return dropped(std::move(batch));
  batch->fail_all(over_budget(budget, bytes));
  write_batch::finish(std::move(batch));
}

/// What is buffered and not yet due is all that a full budget can give back.
void engine::ask_relief() {
  if (relief_asked_.exchange(true))
    return;
  const auto last = countdown([this] { relief_asked_ = false; });
  for (const auto& each : all_->shards)
    caf::anon_send(each, ask_atom::value,
                   table_task{[last](stream_table& table) {
                     table.relieve();
                   }});
}

void engine::submit(std::unique_ptr<read_request> request) {
  {
    const std::shared_lock gate{gate_};
    if (!stopping_) {
      const auto at = shard({request->stream, request->name});
      caf::anon_send(all_->shards[at], read_atom::value,
                     handoff<read_request>{std::move(request)});
      return;
    }
  }
  dropped(std::move(request));
}

void engine::cancel(stream_ref stream, std::uint64_t ticket) {
  const std::shared_lock gate{gate_};
  if (!stopping_)
    caf::anon_send(all_->shards[shard(stream)], cancel_atom::value, ticket);
}

void engine::ask(std::uint32_t shard, table_task task) {
  const std::shared_lock gate{gate_};
  if (!stopping_)
    caf::anon_send(all_->shards[shard], ask_atom::value, std::move(task));
}

void engine::compact(std::function<void(result<void>)> done) {
  {
    const std::shared_lock gate{gate_};
    if (!stopping_)
      return caf::anon_send(all_->sealer, compact_atom::value,
                            std::move(done));
  }
  done(fail(errc::shut_down, "the runtime is stopping"));
}

runtime_stats engine::stats() {
  std::promise<runtime_stats> ready;
  stats([&ready](const runtime_stats& found) { ready.set_value(found); });
  return ready.get_future().get();
}

void engine::stats(std::function<void(const runtime_stats&)> done) {
  auto parts = std::make_shared<std::vector<table_stats>>(shards_);
  const auto left = countdown([this, parts, done = std::move(done)] {
    done(summed(*parts));
  });
  for (std::uint32_t i = 0; i < shards_; ++i)
    ask(i, [parts, i, left](stream_table& table) {
      (*parts)[i] = table.stats();
    });
}

runtime_stats engine::summed(const std::vector<table_stats>& parts) {
  runtime_stats sum;
  for (const auto& part : parts) {
    sum.appends += part.appends;
    sum.refused += part.refused;
    sum.wakes += part.wakes;
    sum.hibernates += part.hibernates;
    sum.acked_bytes += part.acked_bytes;
    sum.awake += part.awake;
    sum.records += part.records;
    sum.streams += part.unlisted;
    sum.waiting_reads += part.parked_reads;
  }
  sum.commits = counters_->commits;
  sum.blocks = counters_->blocks;
  sum.committed_entries = counters_->entries;
  sum.written_bytes = counters_->written_bytes;
  sum.failed = counters_->failed;
  sum.full = counters_->full;
  sum.deadlines = all_->armed;
  sum.segments = all_->segments;
  sum.segment_bytes = all_->segment_bytes;
  if (const std::shared_lock gate{gate_}; !stopping_)
    sum.catalog = store_->records->count().value_or(0);
  sum.streams += sum.catalog;
  sum.buffered_bytes = store_->budget->all().used();
  sum.buffered_bytes_max = store_->budget->all().limit();
  sum.replayed_entries = store_->replayed_entries;
  return sum;
}

void engine::stop(std::function<void()> done) {
  {
    const std::unique_lock gate{gate_};
    stopping_ = true;
  }
  counters_->stopping = true;
  all_->stopping = true;
  quiesce(std::move(done));
  // Blocks that wait for room on a full disk are tried once more and given up.
  caf::anon_send(all_->journal, later_atom::value);
}

/// Every shard syncs what it has; when all are quiet, the journal is ended.
void engine::quiesce(std::function<void()> done) {
  const auto left = countdown([this, done = std::move(done)] {
    finish(done);
  });
  for (const auto& each : all_->shards)
    caf::anon_send(each, ask_atom::value,
                   table_task{[left](stream_table& table) {
                     table.shut_down([left] {});
                   }});
}

void engine::finish(std::function<void()> done) {
  const auto saved = [this, done = std::move(done)] { end_actors(done); };
  const auto ended = [this, saved] {
    // Without a marked end, recovery may find a frame that nobody was told of.
    if (!counters_->ended)
      return saved();
    // Little is left for the next opening to replay.
    caf::anon_send(all_->sealer, seal_atom::value, journal_->current_file(),
                   journal_->durable_frame() + 1,
                   std::function<void()>{saved});
  };
  caf::anon_send(all_->journal, finish_atom::value,
                 std::function<void()>{ended});
}

/// The tables may be freed when no actor is left that knows them.
void engine::end_actors(std::function<void()> done) {
  const auto left = countdown(std::move(done));
  const auto end = [&left](const auto& each) {
    each->attach_functor([left] {});
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  };
  for (const auto& each : all_->shards)
    end(each);
  for (const auto& each : all_->readers)
    end(each);
  end(all_->scheduler);
  end(all_->journal);
  end(all_->sealer);
  end(all_->merger);
}

void engine::join() {
  // The roster and the actors hold each other.
  all_->shards.clear();
  all_->readers.clear();
  all_->scheduler = scheduler_actor();
  all_->journal = journal_actor();
  all_->sealer = sealer_actor();
  all_->merger = merger_actor();
  own_.reset();
  // Handles may live on: nobody else has to wait for them to open the store.
  store_->tables.clear();
  journal_.reset();
  store_->records.reset();
  store_->lock.reset();
}

const shard_actor& shard_for(const engine& engine, std::string_view name) {
  TORPOR_ASSERT(!engine.actors().shards.empty()); // Not after `close`.
  return engine.actors().shards[engine.shard({{}, name})];
}

} // namespace torpor
