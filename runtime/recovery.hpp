// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/byte_buffer.hpp"
#include "runtime/stream_table.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace torpor {

/// Brings the tables of all shards up to the journal's end, while the journal is
/// read: blocks are handed on in chunks to a thread per processor, each with
/// shards of its own, so that the order of a stream's blocks stays.
/// Threads: one owner; others only inside.
class recovery {
public:
  using tables = std::vector<std::unique_ptr<stream_table>>;

  /// Blocks from file `unsaved_first` on are not in the records yet.
  recovery(tables& into, std::uint32_t unsaved_first);
  recovery(const recovery&) = delete;
  recovery& operator=(const recovery&) = delete;
  ~recovery();

  /// Takes the journal's next block; copies its bytes.
  void add(const block_view& block, block_place place);

  /// Waits until all is done. Errors: io_failed, corrupt: the catalog.
  [[nodiscard]] result<void> finish();

  /// Entries that were not in the records, so far as `add` was called.
  [[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_; }

private:
  struct placed_block {
    std::size_t offset = 0; ///< In the chunk.
    block_place place;
  };

  /// Blocks of one shard, in order.
  struct chunk {
    std::uint32_t shard = 0;
    byte_buffer bytes;
    std::vector<placed_block> blocks;
  };

  /// A thread and the chunks that wait for it, at most a few.
  struct worker {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::unique_ptr<chunk>> waiting; ///< Guarded by `mutex`.
    bool ended = false;                         ///< Guarded by `mutex`.
    std::optional<error> broken; ///< Its thread's, until that has ended.
    std::thread thread;
  };

  void hand_on(std::uint32_t shard);
  [[nodiscard]] bool start(worker& self);
  void run(worker& self);
  void apply(const chunk& work, std::optional<error>& broken);
  void prefetch(const record_table& records,
                const std::vector<block_view>& blocks) const;

  tables& tables_;
  std::uint32_t unsaved_first_;
  std::uint64_t replayed_ = 0;
  std::vector<std::unique_ptr<chunk>> filling_; ///< By shard.
  std::deque<worker> workers_;
};

} // namespace torpor
