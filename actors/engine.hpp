// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/journal_writer.hpp"
#include "actors/roster.hpp"
#include "runtime/store.hpp"
#include "torpor/runtime.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string_view>

namespace torpor {

/// An open store with its actors.
/// Threads: any; `stop` and then `join` once.
class engine {
public:
  /// Where the actors run.
  struct place {
    caf::actor_system* host = nullptr; ///< Null: a system of our own.
    bool detached = true; ///< False: journal and sealer share the pool's threads.
  };

  [[nodiscard]] static result<std::shared_ptr<engine>>
  start(std::unique_ptr<store> opened, place where);

  ~engine();

  /// Ends everything: syncs, marks the journal's end, saves a checkpoint,
  /// ends the actors, then calls `done` on some thread of the actor system.
  void stop(std::function<void()> done);

  /// Waits for a system of our own. After `done`, and not on its threads.
  void join();

  /// Sends a batch to the shard that all its requests belong to. Over budget,
  /// or when stopping, every request fails at once, on this thread.
  void submit(std::uint32_t shard, std::unique_ptr<write_batch> batch);
  void submit(std::unique_ptr<read_request> request);
  void cancel(stream_ref stream, std::uint64_t ticket);
  /// Runs a task on a shard's table; it is dropped when the engine is stopping.
  void ask(std::uint32_t shard, table_task task);

  /// Merges all segments into one; calls back on some thread of the system.
  void compact(std::function<void(result<void>)> done);

  /// True once `stop` was called.
  [[nodiscard]] bool stopping() const noexcept { return stopping_; }
  [[nodiscard]] std::uint32_t shards() const noexcept { return shards_; }
  [[nodiscard]] std::uint32_t shard(stream_ref stream) const noexcept;
  [[nodiscard]] runtime_stats stats();
  /// The same without waiting; calls back on some thread of the system.
  void stats(std::function<void(const runtime_stats&)> done);
  /// What the journal counts; at once.
  [[nodiscard]] const journal_counters& journal_counts() const noexcept {
    return *counters_;
  }
  [[nodiscard]] const store& opened() const noexcept { return *store_; }
  [[nodiscard]] const roster& actors() const noexcept { return *all_; }

private:
  engine(std::unique_ptr<store> opened, place where);

  void spawn(bool detached);
  void quiesce(std::function<void()> done);
  void finish(std::function<void()> done);
  void end_actors(std::function<void()> done);
  [[nodiscard]] runtime_stats summed(const std::vector<table_stats>& parts);
  void ask_relief();

  // First, to be there until the last request is answered.
  std::shared_mutex gate_; ///< Shared by who sends, alone by who stops.
  std::atomic<bool> stopping_{false};
  std::atomic<bool> relief_asked_{false};
  std::unique_ptr<store> store_;
  std::uint32_t shards_;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> own_;
  caf::actor_system* system_;
  std::shared_ptr<roster> all_;
  std::shared_ptr<journal> journal_;
  std::shared_ptr<journal_counters> counters_;
};

} // namespace torpor
