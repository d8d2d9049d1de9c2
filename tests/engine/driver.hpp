// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"
#include "tests/engine/request_maker.hpp"
#include "tests/engine/simulated_store.hpp"

#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// Plays a random workload against a simulated store, lets it crash, and
/// judges what is left. One seed decides everything.
class driver {
public:
  /// `traced`: the disk's calls are in the trace, too.
  explicit driver(std::uint64_t seed, bool traced = false);
  ~driver();

  /// Some phases of work, each ended by a crash, a kill or a stop; the last one
  /// of some seeds is on a disk that lies. Empty when nothing was lost, else
  /// what was.
  [[nodiscard]] std::string play();

  /// What there was of faults, and of what they were to hit.
  [[nodiscard]] happenings happened() const;

  /// A line for each request, answer, crash and call of the disk, in order. The
  /// same seed gives the same trace.
  [[nodiscard]] const std::string& trace() const noexcept { return trace_; }

private:
  class answers;
  class judged_read;
  class view;

  [[nodiscard]] std::uint64_t pick(std::uint64_t below);
  [[nodiscard]] bool chance(unsigned percent) { return pick(100) < percent; }
  void note(const std::string& line);
  void note_calls();
  void note(happening one) { test::note(happened_, one); }
  void note(const write_outcome& outcome);
  void look_at_segments();

  // driver.cpp: a seed's life
  void choose_options();
  void plan_faults();
  void work(std::size_t steps);
  void advance(std::uint64_t ms);
  void jump();
  void end_phase();
  void stop();
  void cut_power();

  // driver_steps.cpp: what is asked
  void step();
  void append();
  void control(write_kind kind);
  void truncate();
  void create();
  void fork();
  void set_retention();
  void repeat();
  void read();
  void cancel();
  void send(std::uint64_t tag);
  void send(const std::vector<std::uint64_t>& tags);
  void sync_all();
  void retry_producers();

  // driver_check.cpp: what is found
  [[nodiscard]] std::string reopen();
  [[nodiscard]] std::string check();
  [[nodiscard]] std::string check_bounds();
  [[nodiscard]] std::string check_leaks();
  [[nodiscard]] std::string play_lies();
  [[nodiscard]] std::string open_after_lies(std::uint64_t before,
                                            std::set<std::string>& heard);
  [[nodiscard]] std::string inspect_after_lies(std::uint64_t before);

  std::mt19937_64 random_;
  request_maker maker_{random_, 10};
  simulated_store store_;
  history history_;
  std::unique_ptr<answers> answers_;
  bool traced_;
  bool faulty_ = false;       ///< Reads may fail, too.
  std::uint64_t tickets_ = 0; ///< Of reads that wait.
  std::uint64_t segments_ = 0;
  happenings happened_;
  std::string wrong_; ///< What a read in the middle of the work found.
  std::string trace_;
};

} // namespace torpor::test
