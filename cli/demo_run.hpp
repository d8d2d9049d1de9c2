// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/child_process.hpp"
#include "cli/demo_screen.hpp"
#include "cli/demo_store.hpp"
#include "cli/report.hpp"
#include "cli/seconds.hpp"
#include "torpor/error.hpp"

#include <optional>

namespace torpor {

/// The steps of the demo, each of which says what it saw.
/// Threads: one owner.
class demo_run {
public:
  demo_run(const demo_world& world, double seconds, demo_screen& screen)
    : world_(world), seconds_(seconds), screen_(screen) {}

  /// All of them. Errors: what kept it from coming to an end.
  [[nodiscard]] result<void> run();

  /// Whether nothing that was acknowledged is lost.
  [[nodiscard]] bool proved() const noexcept { return proved_; }
  [[nodiscard]] report& figures() noexcept { return figures_; }

private:
  [[nodiscard]] result<demo_start> start();
  [[nodiscard]] result<void> create();
  [[nodiscard]] result<void> append();
  [[nodiscard]] result<void> hibernate();
  [[nodiscard]] result<void> watch_quiet();
  [[nodiscard]] result<void> crash();
  [[nodiscard]] result<void> restart();
  [[nodiscard]] result<void> check();

  /// Lets the store append for a while, shown; at most until so many requests
  /// are in the log. It goes on appending afterwards.
  [[nodiscard]] result<store_rates> burst(double seconds,
                                          std::size_t requests_max);
  [[nodiscard]] result<store_look> look();
  [[nodiscard]] bool ask(demo_command command) {
    return store_->link().send(command);
  }
  /// The answer to `stats` and `rest`.
  [[nodiscard]] result<runtime_stats> ask_stats(demo_command command);

  const demo_world& world_;
  double seconds_;
  demo_screen& screen_;
  std::optional<child_process> store_;
  bool proved_ = false;
  report figures_;
};

} // namespace torpor
