// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/daemon_place.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace torpor::test {

/// A torpord in a process of its own, at a free port of this machine.
/// Threads: one owner.
class daemon {
public:
  /// `log`: where its messages go, those of all its lives.
  daemon(std::string program, std::vector<std::string> arguments,
         std::string log);
  daemon(const daemon&) = delete;
  daemon& operator=(const daemon&) = delete;
  ~daemon();

  /// Begins a life.
  void launch();
  /// Waits until it takes connections. Throws when it ends instead, or takes
  /// longer than 20 s.
  void await_open();
  /// SIGKILL, whatever it is doing. Throws when it had ended by itself.
  void kill();
  /// SIGTERM; how it ended: its exit code, -1 if by a signal.
  [[nodiscard]] int stop();

  /// Where it listens in this life.
  [[nodiscard]] const daemon_place& place() const noexcept { return place_; }

private:
  [[nodiscard]] bool is_open();

  std::string program_;
  std::vector<std::string> arguments_;
  std::string log_;
  std::size_t log_from_ = 0; ///< Where this life's messages begin.
  pid_t id_ = 0;             ///< 0: it does not live.
  daemon_place place_;
};

/// Runs a program and waits for its end: its exit code, -1 if by a signal. What
/// it prints goes to the end of `log`.
[[nodiscard]] int run_program(const std::string& program,
                              std::vector<std::string> arguments,
                              const std::string& log);

} // namespace torpor::test
