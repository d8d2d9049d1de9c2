// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"
#include "tests/engine/request_maker.hpp"
#include "tests/engine/simulated_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
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

  /// Some phases of work, each ended by a crash, a kill or a stop. Empty when
  /// nothing was lost, else what was.
  [[nodiscard]] std::string play();

  /// Segments that were left at the end.
  [[nodiscard]] std::size_t segments() const {
    return store_.state().segments.size();
  }

  /// How often what happened, by name; none is left out.
  [[nodiscard]] std::map<std::string, std::uint64_t> mishaps() const;

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

  [[nodiscard]] std::string play_phases();
  [[nodiscard]] std::string play_lies();
  [[nodiscard]] std::string look_after_lies();
  void turn_wall_clock();
  void plan_faults();
  void work(std::size_t steps);
  void step();
  void append();
  void control(write_kind kind);
  void truncate();
  void read();
  void send(std::uint64_t tag);
  void sync_all();
  void retry_producers();
  void end_phase();
  [[nodiscard]] std::string reopen();
  [[nodiscard]] std::string check();

  std::mt19937_64 random_;
  request_maker maker_{random_, 10};
  simulated_store store_;
  history history_;
  std::unique_ptr<answers> answers_;
  bool traced_;
  bool faulty_ = false; ///< Reads may fail, too.
  std::uint64_t kills_ = 0;
  std::uint64_t wall_jumps_ = 0;
  std::uint64_t failed_updates_ = 0;
  std::uint64_t named_ = 0; ///< Openings that named damage after lies.
  std::string wrong_;   ///< What a read in the middle of the work found.
  std::string trace_;
};

} // namespace torpor::test
