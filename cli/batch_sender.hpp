// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace torpor {

class engine;
struct flight;

/// Finished batches on their way back to the thread that sent them.
/// Threads: any; guarded by mutex_.
class flight_inbox {
public:
  void put(flight* back);
  /// Waits for at least one; takes all into `into`, which must be empty.
  void take(std::vector<flight*>& into);

private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<flight*> arrived_;
  bool awaited_ = false;
};

/// A batch that goes round between a sender and the store, with its times: one
/// reading of the clock each way, however many requests it has.
/// Threads: one owner, which changes with the batch.
struct flight final : write_sink {
  using clock = std::chrono::steady_clock;

  explicit flight(flight_inbox& to)
    : home(to), batch(std::make_unique<write_batch>()) {}
  /// Called by the store.
  void done(std::unique_ptr<write_batch> finished) override;

  flight_inbox& home;
  std::unique_ptr<write_batch> batch; ///< Null while the store has it.
  std::vector<std::uint64_t> items;   ///< The user's own, one per request.
  clock::time_point sent;
  clock::time_point answered;
};

/// Gathers requests per shard, sends them in batches, and uses the batches
/// again: next to nothing is allocated per request. Threads: one owner.
class batch_sender {
public:
  /// A batch has at most `batch_max` requests.
  batch_sender(engine& to, std::uint32_t batch_max);
  batch_sender(const batch_sender&) = delete;
  batch_sender& operator=(const batch_sender&) = delete;
  /// Waits for all answers.
  ~batch_sender();

  /// The batch being filled for the shard of a stream. Add one request to it,
  /// then call `filled`.
  [[nodiscard]] flight& open(stream_ref stream);
  /// Sends the batch if it is full.
  void filled(const flight& added);
  /// Sends what has been gathered.
  void flush();

  /// Requests sent and not answered.
  [[nodiscard]] std::uint64_t under_way() const noexcept { return under_way_; }

  /// Waits for answers, shows each finished flight to `visit`, and clears it.
  template <class Visit>
  void collect(Visit visit) {
    arrived_.clear();
    inbox_.take(arrived_);
    for (auto* back : arrived_) {
      under_way_ -= back->batch->size();
      visit(*back);
      back->batch->clear();
      back->items.clear();
      free_.push_back(back);
    }
  }

private:
  void send(std::uint32_t shard);

  engine& engine_;
  std::uint32_t batch_max_;
  flight_inbox inbox_;
  std::vector<std::unique_ptr<flight>> all_;
  std::vector<flight*> free_;
  std::vector<flight*> filling_; ///< By shard; null: none.
  std::vector<flight*> arrived_;
  std::uint32_t shard_ = 0;      ///< Of the last `open`.
  std::uint64_t under_way_ = 0;
};

} // namespace torpor
