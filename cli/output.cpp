// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <cerrno>

#include <unistd.h>

namespace torpor {

void output::write(std::string_view text) {
  constexpr std::size_t buffered_max = 64u << 10;
  buffer_ += text;
  if (buffer_.size() >= buffered_max)
    flush();
}

void output::line(std::string_view text) {
  buffer_ += text;
  write("\n");
}

void output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && failure_ == 0) {
    const auto written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0)
      rest.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      failure_ = errno;
  }
  buffer_.clear();
}

result<void> output::finish() {
  flush();
  if (failure_ != 0 && failure_ != EPIPE)
    return fail_io("write", "standard output", failure_);
  return {};
}

} // namespace torpor
