// SPDX-License-Identifier: Apache-2.0
#include "cli/status_line.hpp"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

namespace torpor {

namespace {

/// A line that wraps could not be written over.
std::size_t columns(std::FILE* out) {
  ::winsize size{};
  if (::ioctl(::fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
    return 79;
  return size.ws_col - 1u;
}

} // namespace

status_line::status_line(std::FILE* out, audience who)
  : out_(out),
    terminal_(::isatty(::fileno(out)) == 1),
    silent_(!terminal_ && who == audience::terminal) {}

bool status_line::due() const {
  return !silent_ && clock::now() >= next_;
}

void status_line::show(std::string_view text) {
  if (silent_)
    return;
  next_ = clock::now() + std::chrono::milliseconds{terminal_ ? 250 : 1000};
  if (terminal_)
    fmt::print(out_, "\r{}\x1b[K", text.substr(0, columns(out_)));
  else
    fmt::print(out_, "{}\n", text);
  std::fflush(out_);
  drawn_ = terminal_;
}

void status_line::clear() {
  if (!drawn_)
    return;
  drawn_ = false;
  std::fputs("\r\x1b[K", out_);
  std::fflush(out_);
}

} // namespace torpor
