// SPDX-License-Identifier: Apache-2.0
// The part of driver that asks and takes answers.
#include "tests/engine/driver.hpp"
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>

namespace torpor::test {

/// Notes the answers to batches.
class driver::answers final : public write_sink {
public:
  explicit answers(driver& owner) : owner_(owner) {}

  void done(std::unique_ptr<write_batch> batch) override {
    for (std::size_t i = 0; i < batch->size(); ++i)
      answered(batch->requests()[i].tag, batch->outcome(i));
  }

  void answered(std::uint64_t tag, const write_outcome& outcome) {
    if (owner_.traced_)
      owner_.note(fmt::format("  {} -> {} {} {}", tag, to_string(outcome.code),
                              raw(outcome.stream), raw(outcome.first)));
    owner_.note(outcome);
    if (outcome.code == errc{}
        && owner_.history_.at(tag).kind == write_kind::truncate)
      owner_.note(happening::truncation);
    owner_.history_.answered(tag, outcome);
    owner_.maker_.answered(tag, owner_.history_.at(tag));
  }

private:
  driver& owner_;
};

driver::driver(std::uint64_t seed, bool traced)
  : random_(seed),
    store_(seed),
    answers_(std::make_unique<answers>(*this)),
    traced_(traced) {
  if (traced)
    store_.disk->trace();
}

driver::~driver() {
  store_.kill();
}

void driver::note(const write_outcome& outcome) {
  if (outcome.duplicate)
    note(happening::duplicate);
  switch (outcome.code) {
    case errc::conflict: return note(happening::conflict);
    case errc::fenced: return note(happening::fenced_producer);
    case errc::mismatch: return note(happening::mismatch);
    case errc::closed: return note(happening::closed_stream);
    case errc::overloaded: return note(happening::overload);
    case errc::gone: return note(happening::buried_source);
    default: return;
  }
}

void driver::step() {
  const auto dice = pick(100);
  if (dice < 58)
    append();
  else if (dice < 69)
    read();
  else if (dice < 73)
    truncate();
  else if (dice < 77)
    create();
  else if (dice < 79)
    control(write_kind::close);
  else if (dice < 82)
    control(write_kind::remove);
  else if (dice < 84)
    control(write_kind::policy);
  else if (dice < 86)
    control(write_kind::sync);
  else if (dice < 88)
    sync_all();
  else if (dice < 90)
    store_.running().compact([](const result<void>&) {});
  else if (dice < 94)
    fork();
  else if (dice < 96)
    set_retention();
  else if (dice < 97)
    repeat();
  else if (dice < 98)
    cancel();
  else
    store_.run();
}

/// One, or several that travel together.
void driver::append() {
  std::vector<std::uint64_t> tags;
  for (auto count = chance(20) ? 2 + pick(4) : 1; count > 0; --count) {
    auto request = maker_.append(history_.size());
    maker_.vary(request, history_);
    tags.push_back(history_.sent(std::move(request)));
  }
  send(tags);
}

void driver::control(write_kind kind) {
  send(history_.sent({kind, maker_.name(), ack::durable, {}, {}}));
}

void driver::truncate() {
  send(history_.sent(maker_.truncate(history_)));
}

void driver::create() {
  send(history_.sent(maker_.create(history_.size(), store_.clock->wall)));
}

void driver::set_retention() {
  if (auto request = maker_.retention(store_.clock->wall))
    send(history_.sent(std::move(*request)));
}

void driver::fork() {
  const auto tag = history_.sent(maker_.fork(history_.size(), history_));
  const auto& request = history_.at(tag);
  if (traced_)
    note(describe(request, tag));
  torpor::fork(store_.running(), to_fork(request),
               [this, tag](const result<write_outcome>& made) {
                 if (made)
                   note(happening::fork);
                 write_outcome failed;
                 if (!made)
                   failed.code = made.error().code;
                 answers_->answered(tag, made ? *made : failed);
               });
}

/// A producer that did not hear its answer.
void driver::repeat() {
  if (const auto tag = maker_.settled(history_)) {
    history_.again(*tag);
    send(*tag);
  }
}

void driver::retry_producers() {
  for (const auto tag : maker_.open()) {
    history_.again(tag);
    send(tag);
  }
}

void driver::send(std::uint64_t tag) {
  send(std::vector{tag});
}

void driver::send(const std::vector<std::uint64_t>& tags) {
  std::map<std::uint32_t, std::unique_ptr<write_batch>> batches;
  for (const auto tag : tags) {
    const auto& request = history_.at(tag);
    if (traced_)
      note(describe(request, tag));
    auto& batch = batches[store_.running().shard({{}, request.stream})];
    if (!batch)
      batch = std::make_unique<write_batch>();
    add(*batch, request, tag);
  }
  for (auto& [shard, batch] : batches) {
    batch->sink(answers_.get());
    store_.running().submit(shard, std::move(batch));
  }
}

void driver::cancel() {
  if (tickets_ > 0)
    store_.running().cancel({{}, maker_.name()}, 1 + pick(tickets_));
}

/// What is buffered before a sync of all shards is durable after it.
void driver::sync_all() {
  struct waits final : write_sink {
    void done(std::unique_ptr<write_batch> batch) override {
      failed = failed || batch->outcome(0).code != errc{};
      --open;
    }
    std::uint32_t open = 0;
    bool failed = false;
  } all;
  store_.run();
  std::vector<std::uint64_t> before;
  for (std::uint64_t tag = 0; tag < history_.size(); ++tag)
    if (history_.at(tag).known == history::fate::buffered)
      before.push_back(tag);
  for (std::uint32_t i = 0; i < store_.running().shards(); ++i) {
    auto batch = std::make_unique<write_batch>();
    batch->control(write_kind::sync, {});
    batch->sink(&all);
    ++all.open;
    store_.running().submit(i, std::move(batch));
  }
  store_.run();
  // A full disk keeps it waiting; time brings the retry.
  for (int i = 0; i < 20 && all.open > 0; ++i) {
    advance(1000);
    store_.run();
  }
  if (all.open > 0 && !store_.disk->is_dead()) {
    store_.heal();
    for (int i = 0; i < 5; ++i) {
      advance(1000);
      store_.run();
    }
    if (all.open > 0)
      wrong_ = "a sync does not end though the disk works again";
  }
  if (all.open > 0)
    store_.kill(); // Its answers come now, before `all` is gone.
  else if (!all.failed)
    history_.synced(before);
}

} // namespace torpor::test
