// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/clock.hpp"
#include "runtime/slab.hpp"
#include "runtime/timing_wheel.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace torpor {

/// What one I/O thread runs: sockets, a timing wheel for all time-outs of its
/// connections, and work that other threads post. Goes round: everything that
/// is ready, then what was asked for at the end of the round; so requests that
/// arrive together can travel together.
/// Threads: `post` and `stop` any, all else the one that calls `run`, or any
/// single one before.
class io_loop {
public:
  /// The loop's clock, which has to live as long as the loop.
  explicit io_loop(const clock& time = machine_clock());
  io_loop(const io_loop&) = delete;
  io_loop& operator=(const io_loop&) = delete;
  ~io_loop();

  [[nodiscard]] boost::asio::io_context& context() noexcept {
    return context_;
  }

  /// Runs until `stop`, once.
  void run();
  void stop();

  /// Runs a task on the loop's thread. Many cost one wake-up. What is posted
  /// when the loop has ended is dropped.
  void post(std::function<void()> task);

  /// Runs a task once when all that is ready now has been handled. One that is
  /// asked for in such a task comes at the end of the next round.
  void at_end_of_round(std::function<void()> task);

  /// Monotonic ms.
  [[nodiscard]] std::uint64_t now_ms() const { return time_.monotonic_ms(); }
  [[nodiscard]] const clock& time() const noexcept { return time_; }

  /// Names a call that is to come; `timer{}` none.
  struct timer {
    timing_wheel::timer armed{};
    std::uint32_t place = 0;
    bool operator==(const timer&) const = default;
  };

  /// Calls once, at the given ms or a little later. Only one clock timer of the
  /// system serves all; a timer costs about 100 bytes. Whoever re-arms often
  /// should let a timer ring and look then whether its time has come.
  [[nodiscard]] timer call_at(std::uint64_t ms, std::function<void()> then);
  /// False if it was called already or is none. One that is due and was not
  /// called yet is not called any more.
  bool cancel(timer which);

  /// Calls what is due. The loop does so itself; this is for those who turn its
  /// clock by hand.
  void call_due();

private:
  using system_timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock,
    boost::asio::wait_traits<std::chrono::steady_clock>,
    boost::asio::io_context::executor_type>;

  static const clock& machine_clock();
  void run_posted();
  void run_end_of_round();
  void arm_system_timer();

  const clock& time_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
    work_;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_; // Guarded by mutex_.
  bool ended_ = false;                        // Guarded by mutex_.
  std::vector<std::function<void()>> taken_;  // Emptied; kept for its memory.

  std::vector<std::function<void()>> end_of_round_;
  std::vector<std::function<void()>> ending_; // Likewise.

  timing_wheel wheel_;
  struct call {
    timing_wheel::timer armed{};
    std::function<void()> then;
  };
  slab<call> calls_; // By the wheel's payloads.
  std::vector<std::uint64_t> due_;
  system_timer system_timer_;
  std::uint64_t system_timer_at_; // ms; never: it is not armed.
};

} // namespace torpor
