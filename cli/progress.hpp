// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace torpor {

/// What a progress bar says. `total` 0: not known, so no bar.
struct progress_state {
  std::string_view label;
  std::uint64_t done = 0;  ///< Bytes.
  std::uint64_t total = 0; ///< Bytes.
  double seconds = 0;      ///< Since the start.
};

/// "import [=====>    ]  50%  12.0 MiB/s  0:07 left", of at most `columns`.
[[nodiscard]] std::string progress_line(const progress_state& state,
                                        std::size_t columns);

/// A bar on standard error for work that takes longer than a second, if that
/// is a terminal. Threads: one owner.
class progress {
public:
  progress(std::string label, std::uint64_t total, bool wanted);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  /// Wipes the bar away.
  ~progress() { clear(); }

  /// So much is done; draws at most ten times a second.
  void at(std::uint64_t done);
  void clear();

  [[nodiscard]] double seconds() const;

private:
  using clock = std::chrono::steady_clock;

  std::string label_;
  std::uint64_t total_;
  bool wanted_;
  bool drawn_ = false;
  clock::time_point start_ = clock::now();
  clock::time_point next_;
};

} // namespace torpor
