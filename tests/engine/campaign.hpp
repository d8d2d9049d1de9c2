// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/happenings.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torpor::test {

/// What is to be played: numbers from one to another, or single ones.
class seed_list {
public:
  /// "7", "1..1000", or "@FILE" with a seed at the start of each line that is
  /// not empty or a comment (#), and at least one. Nullopt when it is none of
  /// these.
  [[nodiscard]] static std::optional<seed_list> parse(const std::string& text);

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::uint64_t operator[](std::uint64_t index) const;

private:
  std::uint64_t first_ = 1;
  std::uint64_t last_ = 0;
  std::vector<std::uint64_t> single_; ///< In place of the range, if any.
};

/// What became of one seed.
struct verdict {
  std::string wrong; ///< Empty when all is well.
  std::string trace;
  happenings happened;
};

/// Plays it. An exception is a failure.
[[nodiscard]] verdict play(std::uint64_t seed, bool traced);

/// Plays seeds on some threads, tells of each that fails at once, and ends when
/// enough have failed. Threads: one owner.
class campaign {
public:
  /// `twice`: each seed is played again and has to have the same trace.
  campaign(seed_list seeds, bool twice, std::uint64_t failures_max)
    : seeds_(std::move(seeds)),
      twice_(twice),
      failures_max_(failures_max) {}

  void run(unsigned jobs);

  [[nodiscard]] std::uint64_t done() const { return done_; }
  /// The seeds that failed, and why.
  [[nodiscard]] const std::map<std::uint64_t, std::string>& failures() const {
    return failures_;
  }
  /// In how many seeds something happened.
  [[nodiscard]] std::uint64_t count(std::size_t happening) const {
    return counts_[happening];
  }
  /// What never happened in a run that is long enough to have it.
  [[nodiscard]] std::vector<std::string_view> missing() const;

private:
  void work();
  void fail(std::uint64_t seed, const std::string& wrong);
  void show_progress();

  seed_list seeds_;
  bool twice_;
  std::uint64_t failures_max_;
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<bool> ends_ = false;
  std::array<std::atomic<std::uint64_t>, happening_names.size()> counts_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned ended_ = 0;
  std::map<std::uint64_t, std::string> failures_;
};

} // namespace torpor::test
