// SPDX-License-Identifier: Apache-2.0
#include "cli/batch_sender.hpp"

#include "actors/engine.hpp"

namespace torpor {

void flight_inbox::put(flight* back) {
  const std::lock_guard guard{mutex_};
  arrived_.push_back(back);
  // Under the mutex, so that the inbox is still there.
  if (std::exchange(awaited_, false))
    filled_.notify_one();
}

void flight_inbox::take(std::vector<flight*>& into) {
  std::unique_lock lock{mutex_};
  while (arrived_.empty()) {
    awaited_ = true;
    filled_.wait(lock);
  }
  into.swap(arrived_);
}

void flight::done(std::unique_ptr<write_batch> finished) {
  answered = clock::now();
  batch = std::move(finished);
  home.put(this);
}

batch_sender::batch_sender(engine& to, std::uint32_t batch_max)
  : engine_(to), batch_max_(batch_max), filling_(to.shards()) {}

batch_sender::~batch_sender() {
  while (under_way_ > 0)
    collect([](const flight&) {});
}

flight& batch_sender::open(stream_ref stream) {
  shard_ = engine_.shard(stream);
  auto& filling = filling_[shard_];
  if (filling != nullptr)
    return *filling;
  if (free_.empty()) {
    filling = all_.emplace_back(std::make_unique<flight>(inbox_)).get();
  } else {
    filling = free_.back();
    free_.pop_back();
  }
  return *filling;
}

void batch_sender::filled(const flight& added) {
  if (added.batch->size() >= batch_max_)
    send(shard_);
}

void batch_sender::flush() {
  for (std::uint32_t shard = 0; shard < filling_.size(); ++shard)
    if (filling_[shard] != nullptr)
      send(shard);
}

void batch_sender::send(std::uint32_t shard) {
  auto* leaving = std::exchange(filling_[shard], nullptr);
  under_way_ += leaving->batch->size();
  leaving->batch->sink(leaving);
  leaving->sent = flight::clock::now();
  engine_.submit(shard, std::move(leaving->batch));
}

} // namespace torpor
