// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"
#include "runtime/clock.hpp"
#include "runtime/journal.hpp"
#include "runtime/shared_histogram.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace torpor {

/// What the journal counts. Threads: any reads, the journal writes.
struct journal_counters {
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> blocks{0};
  std::atomic<std::uint64_t> entries{0};       ///< In these blocks.
  std::atomic<std::uint64_t> written_bytes{0}; ///< Frames with their padding.
  shared_histogram took; ///< ns from a frame's begin until it was durable.
  std::atomic<bool> failed{false};
  std::atomic<bool> full{false};
  std::atomic<bool> ended{false};    ///< The end is marked: nothing can come behind it.
  std::atomic<bool> stopping{false}; ///< Set by the engine: nothing waits any more.
};

/// Commits whatever has come in while the last sync ran.
struct journal_state {
  static inline const char* name = "journal";

  /// What the actor works with; lives in the store.
  struct tools {
    std::shared_ptr<torpor::journal> file;
    std::shared_ptr<torpor::clock> clock;
    std::shared_ptr<journal_counters> counters;
    std::chrono::milliseconds idle_mark{1000};
    std::uint64_t reserve_bytes = 0; ///< Room kept for deletes on a full disk.
    std::uint32_t unsealed = 0; ///< Files before it were offered to the sealer.
    journal_end recovered;      ///< Where the last opening ended.
    std::uint64_t opened_ms = 0; ///< When this one began, by the clock.
  };

  void commit();
  void later();
  void spare(std::unique_ptr<prepared_file> prepared);
  void finish(const std::function<void()>& done);

  journal_actor::pointer self = nullptr;
  std::shared_ptr<roster> all;
  tools work;

private:
  [[nodiscard]] bool commit_some();
  [[nodiscard]] commit_outcome timed_commit();
  [[nodiscard]] bool give_up();
  void refuse();
  void note_no_room(const error& cause);
  [[nodiscard]] std::size_t next_frame() const;
  void report(std::size_t count, const error* failure);
  void after_commit();
  void prepare();
  void seal_recovered();
  void idle();
  void tell_full(bool full);
  void call_later(std::chrono::milliseconds delay);
  void let_small_ones_pass();

  std::vector<pending_block*> waiting_;   ///< Taken from the queue, in order.
  std::vector<journal_block*> frame_;
  std::vector<std::vector<pending_block*>> by_shard_;
  std::uint32_t preparing_ = 0;           ///< File that the sealer makes; 0: none.
  bool prepare_failed_ = false;           ///< To be tried again later.
  error no_room_;                         ///< Why there was no room last.
  std::uint64_t last_commit_ms_ = 0;
  std::uint64_t called_at_ = 0;           ///< Deadline in the wheel; 0: none.
  bool held_ = false;                     ///< The disk was full; until `later`.
  bool finished_ = false;                 ///< Messages that come late are ignored.
};

journal_actor::behavior_type
journal_writer(journal_actor::stateful_pointer<journal_state> self,
               journal_state::tools work, std::shared_ptr<roster> all);

} // namespace torpor
