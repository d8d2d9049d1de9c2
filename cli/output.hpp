// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <string>
#include <string_view>

namespace torpor {

/// Standard output, buffered. Notices when it cannot be written to any more.
/// Threads: one owner.
class output {
public:
  output() = default;
  output(const output&) = delete;
  output& operator=(const output&) = delete;
  /// Flushes; errors are lost then.
  ~output() { flush(); }

  void write(std::string_view text);
  void line(std::string_view text);

  /// Hands on what is buffered.
  void flush();

  /// False when nobody reads any more, or it failed: stop writing.
  [[nodiscard]] bool open() const noexcept { return failure_ == 0; }

  /// Flushes. A reader that went away is no error: it has seen enough.
  /// Errors: io_failed.
  [[nodiscard]] result<void> finish();

private:
  std::string buffer_;
  int failure_ = 0; ///< errno of the write that failed.
};

} // namespace torpor
