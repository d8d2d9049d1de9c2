// SPDX-License-Identifier: Apache-2.0
#include "server/write_collector.hpp"

#include "runtime/assert.hpp"

#include <utility>

namespace torpor {

namespace {

constexpr std::size_t batch_bytes_max = 1u << 20;

std::size_t cost_of(const std::vector<std::string_view>& payloads) {
  std::size_t bytes = 0;
  for (const auto each : payloads)
    bytes += each.size();
  return write_batch::cost(1, payloads.size(), bytes);
}

} // namespace

write_collector::write_collector(io_loop& loop, stream_store& store)
  : loop_(loop),
    store_(store),
    open_(store.shards()) {}

write_batch& write_collector::batch_for(std::string_view stream,
                                        const std::vector<std::string_view>&
                                          payloads) {
  last_ = store_.shard(stream);
  auto& open = open_[last_];
  if (open.batch
      && open.batch->memory_bytes() + cost_of(payloads) > batch_bytes_max)
    send(last_);
  if (!open.batch) {
    if (touched_.empty())
      loop_.at_end_of_round([this] { send_all(); });
    touched_.push_back(last_);
    if (spare_.empty()) {
      open.batch = std::make_unique<write_batch>();
    } else {
      open.batch = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  return *open.batch;
}

void write_collector::wait(std::unique_ptr<write_waiter> waiter) {
  auto& open = open_[last_];
  open.waiters.push_back(std::move(waiter));
  TORPOR_ASSERT(open.waiters.size() == open.batch->size());
  if (open.batch->memory_bytes() >= batch_bytes_max)
    send(last_);
}

void write_collector::send_all() {
  for (const auto shard : std::exchange(touched_, {}))
    if (open_[shard].batch)
      send(shard);
}

void write_collector::send(std::uint32_t shard) {
  auto& open = open_[shard];
  using waiters = std::vector<std::unique_ptr<write_waiter>>;
  auto waiting = std::make_shared<waiters>(std::exchange(open.waiters, {}));
  store_.write(shard, std::move(open.batch),
               [this, waiting](std::unique_ptr<write_batch> batch) {
                 back(std::move(batch), std::move(*waiting));
               });
}

void write_collector::back(std::unique_ptr<write_batch> batch,
                           std::vector<std::unique_ptr<write_waiter>> waiters) {
  for (std::size_t i = 0; i < waiters.size(); ++i)
    waiters[i]->written(*batch, i);
  constexpr std::size_t spare_max = 16;
  if (spare_.size() == spare_max || batch->memory_bytes() > batch_bytes_max)
    return; // What was large once need not stay so.
  batch->trim();
  batch->clear();
  spare_.push_back(std::move(batch));
}

} // namespace torpor
