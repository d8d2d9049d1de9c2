// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/timing_wheel.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace torpor {

/// What one I/O thread runs: sockets, a timing wheel for all time-outs of its
/// connections, and work that other threads post. Goes round: everything that
/// is ready, then what was asked for at the end of the round; so requests that
/// arrive together can travel together.
/// Threads: `post` and `stop` any, all else the one that calls `run`.
class io_loop {
public:
  io_loop();
  ~io_loop();

  [[nodiscard]] boost::asio::io_context& context() noexcept {
    return context_;
  }

  /// Runs until `stop`.
  void run();
  void stop();

  /// Runs a task on the loop's thread. Many cost one wake-up. What is posted
  /// when the loop has ended is dropped.
  void post(std::function<void()> task);

  /// Runs a task once when all that is ready now has been handled.
  void at_end_of_round(std::function<void()> task);

  /// Monotonic ms, as of the beginning of the round.
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return now_ms_; }

  /// Calls once, at the given ms or a little later. Only one clock timer of the
  /// system serves all; a timer costs about 100 bytes.
  using timer = timing_wheel::timer;
  [[nodiscard]] timer call_at(std::uint64_t ms, std::function<void()> then);
  /// False if it was called already or is none.
  bool cancel(timer which);

private:
  // Up to who writes io_loop.cpp.
  boost::asio::io_context context_;
  std::uint64_t now_ms_ = 0;
};

} // namespace torpor
