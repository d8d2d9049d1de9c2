// SPDX-License-Identifier: Apache-2.0
#include "actors/engine.hpp"

#include "actors/reader.hpp"
#include "actors/scheduler.hpp"
#include "actors/sealer.hpp"
#include "actors/shard.hpp"
#include "actors/work_stealing.hpp"

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
  // A host's command line and caf-application.ini are none of our business.
  config->set("logger.verbosity", caf::atom("quiet"));
  return config;
}

/// Counts down over several threads and calls once at zero.
class countdown {
public:
  countdown(std::size_t count, std::function<void()> done)
    : left_(count), done_(std::move(done)) {}
  void arrive() {
    if (--left_ == 0)
      done_();
  }

private:
  std::atomic<std::size_t> left_;
  std::function<void()> done_;
};

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
}

engine::~engine() {
  end();
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
    std::min<std::uint64_t>(1u << 20, options.journal.file_bytes / 8),
    static_cast<std::uint32_t>(store_->state.journal_first)};
  const sealer_state::tools sealer_tools{world.disk.get(),
                                         store_->records.get(),
                                         store_->journal, store_->state};
  // Both wait for the disk most of the time: on threads of their own they do
  // not hold up the pool.
  all_->journal = detached
                    ? system.spawn<caf::detached + caf::hidden>(
                      journal_writer, journal_tools, all_)
                    : system.spawn<caf::hidden>(journal_writer, journal_tools,
                                                all_);
  all_->sealer = detached
                   ? system.spawn<caf::detached + caf::hidden>(
                     sealer, sealer_tools, all_)
                   : system.spawn<caf::hidden>(sealer, sealer_tools, all_);
  all_->scheduler = system.spawn<caf::hidden>(scheduler, world.clock, all_);
  for (std::uint32_t i = 0; i < options.pool.readers; ++i)
    all_->readers.push_back(system.spawn<caf::hidden>(
      reader, world.disk, store_->journal.directory));
  for (auto& table : store_->tables)
    all_->shards.push_back(
      system.spawn<caf::hidden>(torpor::shard, table.get(), all_));
  // A spare file is made before anybody needs it.
  caf::anon_send(all_->journal, later_atom::value);
}

std::uint32_t engine::shard(stream_ref stream) const noexcept {
  return stream.id != stream_id{} ? shard_of(stream.id, shards_)
                                  : shard_of(stream.name, shards_);
}

void engine::submit(std::uint32_t shard, std::unique_ptr<write_batch> batch) {
  if (stopping_)
    return dropped(std::move(batch));
  const auto bytes = batch->memory_bytes();
  auto& budget = store_->budget->all();
  if (!budget.try_charge(bytes)) {
    batch->fail_all({errc::overloaded,
                     fmt::format("{} bytes are buffered, "
                                 "memory.buffered-bytes-max is {}; retry in a "
                                 "few ms",
                                 budget.used(), budget.limit())});
    return write_batch::finish(std::move(batch));
  }
  batch->queued(true);
  caf::anon_send(all_->shards[shard], write_atom::value,
                 handoff<write_batch>{std::move(batch)});
}

void engine::submit(std::unique_ptr<read_request> request) {
  if (stopping_)
    return dropped(std::move(request));
  const auto at = shard({request->stream, request->name});
  caf::anon_send(all_->shards[at], read_atom::value,
                 handoff<read_request>{std::move(request)});
}

void engine::cancel(stream_ref stream, std::uint64_t ticket) {
  if (!stopping_)
    caf::anon_send(all_->shards[shard(stream)], cancel_atom::value, ticket);
}

bool engine::ask(std::uint32_t shard, table_task task) {
  if (stopping_)
    return false;
  caf::anon_send(all_->shards[shard], ask_atom::value, std::move(task));
  return true;
}

runtime_stats engine::stats() {
  std::vector<table_stats> parts(shards_);
  std::promise<void> ready;
  auto left = std::make_shared<countdown>(shards_, [&] { ready.set_value(); });
  for (std::uint32_t i = 0; i < shards_; ++i) {
    const auto sent = ask(i, [&parts, i, left](stream_table& table) {
      parts[i] = table.stats();
      left->arrive();
    });
    if (!sent)
      left->arrive();
  }
  ready.get_future().wait();
  runtime_stats sum;
  for (const auto& part : parts) {
    sum.appends += part.appends;
    sum.refused += part.refused;
    sum.wakes += part.wakes;
    sum.hibernates += part.hibernates;
    sum.acked_bytes += part.acked_bytes;
    sum.awake += part.awake;
    sum.records += part.records;
  }
  sum.commits = counters_->commits;
  sum.blocks = counters_->blocks;
  sum.written_bytes = counters_->written_bytes;
  sum.failed = counters_->failed;
  sum.full = counters_->full;
  sum.catalog = store_->records->count().value_or(0);
  sum.buffered_bytes = store_->budget->all().used();
  sum.replayed_entries = store_->replayed_entries;
  return sum;
}

void engine::stop(std::function<void()> done) {
  stopping_ = true;
  quiesce(std::move(done));
}

/// Every shard syncs what it has; when all are quiet, the journal is ended.
void engine::quiesce(std::function<void()> done) {
  auto self = shared_from_this();
  auto left = std::make_shared<countdown>(
    shards_, [self, done = std::move(done)] { self->finish(done); });
  for (const auto& each : all_->shards)
    caf::anon_send(each, ask_atom::value,
                   table_task{[left](stream_table& table) {
                     table.shut_down([left] { left->arrive(); });
                   }});
}

void engine::finish(std::function<void()> done) {
  auto self = shared_from_this();
  const auto saved = [self, done] {
    for (const auto& each : self->all_->shards)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    for (const auto& each : self->all_->readers)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(self->all_->scheduler,
                        caf::exit_reason::user_shutdown);
    caf::anon_send_exit(self->all_->journal, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(self->all_->sealer, caf::exit_reason::user_shutdown);
    done();
  };
  const auto ended = [self, saved] {
    if (self->counters_->failed)
      return saved();
    // All that was written is in the records by now: nothing is left to replay.
    caf::anon_send(self->all_->sealer, save_atom::value,
                   self->journal_->current_file() + 1,
                   std::function<void()>{saved});
  };
  caf::anon_send(all_->journal, finish_atom::value,
                 std::function<void()>{ended});
}

void engine::end() {
  // The roster and the actors hold each other.
  auto all = std::exchange(all_, std::make_shared<roster>());
  all->shards.clear();
  all->readers.clear();
  all->scheduler = scheduler_actor();
  all->journal = journal_actor();
  all->sealer = sealer_actor();
  all.reset();
  own_.reset(); // Waits for its actors.
}

const shard_actor& shard_for(const engine& engine, std::string_view name) {
  return engine.actors().shards[engine.shard({{}, name})];
}

} // namespace torpor
