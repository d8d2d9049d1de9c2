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
  learn_producers();
}

std::uint64_t workload::pick(std::uint64_t below) {
  return random_() % below;
}

std::string workload::name() {
  return fmt::format("t{}/s{}", pick(2), pick(6));
}

bool workload::play(std::size_t steps) {
  std::vector<std::uint64_t> again;
  for (const auto& [stream, known] : producers_)
    if (known.open)
      again.push_back(known.tag);
  for (const auto tag : again)
    send(tag);
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
  const auto how = chance(70) ? ack::durable : ack::buffered;
  history::write_request request{write_kind::append, name(), how, {}, {}};
  const auto tag = history_.size();
  const auto bytes_max = chance(25) ? 9000 : 300;
  const auto count = 1 + pick(chance(10) ? 20 : 3);
  for (std::uint64_t i = 0; i < count; ++i)
    request.payloads.push_back(payload_of(tag, i, pick(bytes_max)));
  auto& known = producers_[request.stream];
  if (chance(30) && !known.open) {
    request.by = known.next;
    known.tag = tag;
    known.open = true;
  }
  guard.unlock();
  add(std::move(request));
}

void workload::control(write_kind kind) {
  add({kind, name(), ack::durable, {}, {}});
}

/// Before a place that is there, as a rule.
void workload::truncate() {
  history::write_request request{write_kind::truncate, name(), ack::durable,
                                 {}, {}};
  std::unique_lock guard{mutex_};
  request.before = sequence{pick(history_.end(request.stream) + 2)};
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
  note_producer(history_.at(tag));
  --open_;
  answered_.notify_all();
}

void workload::note_producer(const history::write_request& request) {
  if (!request.by)
    return;
  auto& known = producers_[request.stream];
  known.open = request.known == history::fate::unknown;
  known.next = *request.by;
  if (request.known == history::fate::refused) {
    // Perhaps the stream is another one than before: begin anew.
    ++known.next.epoch;
    known.next.number = 0;
  } else if (!known.open) {
    ++known.next.number;
  }
}

void workload::learn_producers() {
  for (std::uint64_t tag = 0; tag < history_.size(); ++tag) {
    const auto& request = history_.at(tag);
    note_producer(request);
    if (request.by)
      producers_[request.stream].tag = tag;
  }
}

bool workload::wait() {
  std::unique_lock guard{mutex_};
  return answered_.wait_for(guard, std::chrono::seconds{20},
                            [this] { return open_ == 0; });
}

} // namespace torpor::test
