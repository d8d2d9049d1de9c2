// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"
#include "tests/engine/request_maker.hpp"
#include "tests/system/request_log.hpp"
#include "torpor/runtime.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace torpor::test {

/// The options of a store in which everything happens soon: small journal
/// files, few records kept, marks after 10 ms.
[[nodiscard]] options busy_options(const std::string& directory);

/// Random requests to a real store, each logged before it is sent and when it
/// is answered: appends of all sizes, producers, creates, closes, truncations,
/// deletes, policies, syncs, compactions; enough of it to roll, seal, merge and
/// save records.
/// Threads: one owner.
class workload final : private write_sink {
public:
  /// Goes on where the log ends.
  workload(runtime& store, const std::string& log, std::uint64_t seed);

  /// So many requests. False when answers do not come for 20 s.
  [[nodiscard]] bool play(std::size_t steps);

  /// Everything that was answered, and is known to be there.
  [[nodiscard]] history& known() noexcept { return history_; }

private:
  void done(std::unique_ptr<write_batch> batch) override;
  [[nodiscard]] std::uint64_t pick(std::uint64_t below);
  [[nodiscard]] bool chance(unsigned percent) { return pick(100) < percent; }
  [[nodiscard]] bool step();
  void append();
  void control(write_kind kind);
  void truncate();
  void sync_all();
  void add(history::write_request request);
  void send(std::uint64_t tag);
  [[nodiscard]] bool wait();

  runtime& store_;
  std::mt19937_64 random_;
  request_maker maker_{random_, 25}; ///< Guarded as what follows.
  std::mutex mutex_; ///< Guards what follows.
  std::condition_variable answered_;
  history history_;
  request_log log_;
  std::size_t open_ = 0; ///< Requests without an answer.
};

} // namespace torpor::test
