// SPDX-License-Identifier: Apache-2.0
#include "tests/system/workload.hpp"

#include "actors/engine.hpp"
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <vector>

namespace torpor::test {

options busy_options(const std::string& directory) {
  options all;
  all.data_dir = directory;
  all.journal.file_bytes = 64u << 10;
  all.journal.idle_mark = std::chrono::milliseconds{10};
  all.sync.max_delay = std::chrono::milliseconds{5};
  all.memory.record_cache = 4;
  all.pool.workers = 2;
  all.pool.shards = 2;
  all.pool.readers = 1;
  return all;
}

workload::workload(runtime& store, const std::string& log, std::uint64_t seed)
  : store_(store),
    random_(seed),
    history_(request_log::read(log)),
    log_(log) {
  log_.opened();
  for (std::uint64_t tag = 0; tag < history_.size(); ++tag)
    maker_.answered(tag, history_.at(tag));
}

std::uint64_t workload::pick(std::uint64_t below) {
  return random_() % below;
}

bool workload::play(std::size_t steps) {
  for (const auto tag : maker_.open()) {
    log_.again(tag);
    history_.again(tag);
    send(tag);
  }
  for (std::size_t i = 0; i < steps; ++i)
    if (!step())
      return false;
  return wait();
}

bool workload::step() {
  const auto dice = pick(100);
  if (dice < 76)
    append();
  else if (dice < 80)
    truncate();
  else if (dice < 84)
    control(write_kind::create);
  else if (dice < 86)
    control(write_kind::close);
  else if (dice < 89)
    control(write_kind::remove);
  else if (dice < 91)
    control(write_kind::policy);
  else if (dice < 94)
    control(write_kind::sync);
  else if (dice < 97)
    sync_all();
  else
    static_cast<void>(store_.compact().wait_for(std::chrono::seconds{20}));
  return chance(40) ? wait() : true;
}

// -- requests -----------------------------------------------------------------

void workload::append() {
  std::unique_lock guard{mutex_};
  auto request = maker_.append(history_.size());
  guard.unlock();
  add(std::move(request));
}

void workload::control(write_kind kind) {
  add({kind, maker_.name(), ack::durable, {}, {}});
}

void workload::truncate() {
  std::unique_lock guard{mutex_};
  auto request = maker_.truncate(history_);
  guard.unlock();
  add(std::move(request));
}

/// What is buffered before a sync of all shards is durable after it.
void workload::sync_all() {
  std::vector<std::uint64_t> before;
  std::unique_lock guard{mutex_};
  for (std::uint64_t tag = 0; tag < history_.size(); ++tag)
    if (history_.at(tag).known == history::fate::buffered)
      before.push_back(tag);
  guard.unlock();
  auto synced = store_.sync();
  if (synced.wait_for(std::chrono::seconds{20}) != std::future_status::ready
      || !synced.get())
    return;
  guard.lock();
  history_.synced(before);
  log_.synced(before);
}

void workload::add(history::write_request request) {
  std::unique_lock guard{mutex_};
  const auto tag = history_.sent(std::move(request));
  log_.sent(tag, history_.at(tag));
  guard.unlock();
  send(tag);
}

void workload::send(std::uint64_t tag) {
  std::unique_lock guard{mutex_};
  const auto& request = history_.at(tag);
  auto batch = to_batch(request, tag);
  batch->sink(this);
  ++open_;
  const auto shard = store_.engine()->shard({{}, request.stream});
  guard.unlock();
  store_.engine()->submit(shard, std::move(batch));
}

// -- answers ------------------------------------------------------------------

void workload::done(std::unique_ptr<write_batch> batch) {
  const std::lock_guard guard{mutex_};
  const auto tag = batch->requests()[0].tag;
  log_.answered(tag, batch->outcome(0));
  history_.answered(tag, batch->outcome(0));
  maker_.answered(tag, history_.at(tag));
  --open_;
  answered_.notify_all();
}

bool workload::wait() {
  std::unique_lock guard{mutex_};
  return answered_.wait_for(guard, std::chrono::seconds{20},
                            [this] { return open_ == 0; });
}

} // namespace torpor::test
