// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/io_loop.hpp"
#include "server/stream_store.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace torpor {

/// Who waits for one request of a batch.
class write_waiter {
public:
  virtual ~write_waiter() = default;
  /// What became of it. Called once; then the waiter is destroyed.
  virtual void written(const write_batch& batch, std::size_t index) = 0;
};

/// Lets the writes that come in one round of a loop travel together: one batch
/// per shard, sent at the round's end or when it is large. A large one travels
/// alone: a batch is refused as a whole when it does not fit into the memory
/// budget, and nobody shall be refused for the company it is in. Threads: those
/// of its loop.
class write_collector {
public:
  write_collector(io_loop& loop, stream_store& store);

  /// The batch to which a write for that stream with these payloads has to be
  /// added next, one request, followed by `wait`.
  [[nodiscard]] write_batch&
  batch_for(std::string_view stream,
            const std::vector<std::string_view>& payloads = {});
  /// Who gets the outcome of the request that was added last.
  void wait(std::unique_ptr<write_waiter> waiter);

private:
  /// A shard's batch of this round.
  struct open_batch {
    std::unique_ptr<write_batch> batch; ///< Null: none in this round.
    std::vector<std::unique_ptr<write_waiter>> waiters; ///< By request.
  };

  void send_all();
  void send(std::uint32_t shard);
  void back(std::unique_ptr<write_batch> batch,
            std::vector<std::unique_ptr<write_waiter>> waiters);

  io_loop& loop_;
  stream_store& store_;
  std::vector<open_batch> open_;       ///< By shard.
  std::vector<std::uint32_t> touched_; ///< Shards with a batch in this round.
  std::uint32_t last_ = 0;             ///< Where the last request went.
  std::vector<std::unique_ptr<write_batch>> spare_;
};

} // namespace torpor
