// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <string_view>

namespace torpor {

/// One line that is written over again and again on a terminal; elsewhere,
/// if wanted, a line each second. Threads: one owner.
class status_line {
public:
  /// Who watches.
  enum class audience {
    terminal, ///< Silent unless `out` is a terminal.
    anybody,
  };

  status_line(std::FILE* out, audience who);
  status_line(const status_line&) = delete;
  status_line& operator=(const status_line&) = delete;
  /// Wipes the line away.
  ~status_line() { clear(); }

  /// Whether the time has come to show something new.
  [[nodiscard]] bool due() const;
  void show(std::string_view text);
  void clear();

private:
  using clock = std::chrono::steady_clock;

  std::FILE* out_;
  bool terminal_;
  bool silent_;
  bool drawn_ = false;
  clock::time_point next_ = clock::now();
};

} // namespace torpor
