// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/engine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/simulated_disk.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace torpor::test {

/// What happens to a catalog's updates.
struct catalog_plan {
  std::uint64_t updates = 0; ///< So many were made.
  std::uint64_t fail_at = 0; ///< As `updates` counts; 0: none fails.
  bool applied = false;      ///< It fails when it was done.
  std::function<void()> meanwhile; ///< Before it fails.
};

/// A whole engine on one thread: its actors run when they are told to, its
/// clock is turned by hand, its disk is simulated. The disk, the catalog and
/// the clock outlive openings, as in the real world.
class simulated_store {
public:
  explicit simulated_store(std::uint64_t seed,
                           std::shared_ptr<catalog> records
                           = make_memory_catalog());
  ~simulated_store();

  /// Opens the store. Errors: those of `store::open`.
  [[nodiscard]] result<void> open();

  /// Opens the store at rest to look at it, as a tool does.
  [[nodiscard]] result<std::unique_ptr<store>> inspect();

  /// The process ends here, without a word to anybody.
  void kill();

  /// Ends the engine as it should be ended.
  bool stop();

  /// The catalog's `nth` update from now (1 is the next) fails with io_failed,
  /// before or after it was applied; `meanwhile` is called before it returns.
  void fail_update(std::uint64_t nth, bool applied,
                   std::function<void()> meanwhile = {});

  /// Reads a page, by id or else by name; handles messages until it is there.
  [[nodiscard]] result<read_page> read(stream_ref stream,
                                       const read_options& wanted);

  /// Forgets what was planned for disk and catalog.
  void heal();

  /// Handles one message; false when there is none.
  bool run_once();
  /// Handles messages until there are none.
  void run();
  /// Lets time pass for timestamps, deadlines and CAF's clock.
  void advance(std::uint64_t ms);

  [[nodiscard]] engine& running() { return *engine_; }
  /// What the catalog knows of the whole store.
  [[nodiscard]] catalog_state state() const { return *catalog_->state(); }
  [[nodiscard]] std::size_t segments() const {
    return state().segments.size();
  }
  [[nodiscard]] std::uint64_t updates() const { return plan_->updates; }
  [[nodiscard]] bool is_open() const noexcept { return engine_ != nullptr; }

  options config;
  std::shared_ptr<simulated_disk> disk;
  std::shared_ptr<manual_clock> clock;

private:
  [[nodiscard]] environment world();
  [[nodiscard]] caf::scheduler::test_coordinator& scheduler();

  std::shared_ptr<catalog> catalog_;
  std::shared_ptr<catalog_plan> plan_ = std::make_shared<catalog_plan>();
  std::unique_ptr<caf::actor_system_config> caf_config_;
  std::unique_ptr<caf::actor_system> system_;
  std::shared_ptr<engine> engine_;
};

} // namespace torpor::test
