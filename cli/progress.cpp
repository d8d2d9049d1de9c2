// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include "cli/human.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

namespace torpor {

namespace {

std::size_t terminal_columns() {
  ::winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 80;
  return size.ws_col;
}

std::string bar(double share, std::size_t width) {
  const auto filled = static_cast<std::size_t>(share
                                               * static_cast<double>(width));
  std::string cells(width, ' ');
  std::fill_n(cells.begin(), filled, '=');
  if (filled < width)
    cells[filled] = '>';
  return cells;
}

} // namespace

std::string progress_line(const progress_state& state, std::size_t columns) {
  const auto rate = state.seconds > 0
                      ? static_cast<double>(state.done) / state.seconds
                      : 0;
  if (state.total == 0)
    return fmt::format("{} {}  {}/s", state.label,
                       human_bytes(static_cast<double>(state.done)),
                       human_bytes(rate))
      .substr(0, columns);
  const auto done = std::min(state.done, state.total);
  const auto share = static_cast<double>(done)
                     / static_cast<double>(state.total);
  const auto left = rate > 0 ? human_seconds(
                      static_cast<double>(state.total - done) / rate)
                             : "?";
  const auto figures = fmt::format("{:3.0f}%  {}/s  {} left", share * 100,
                                   human_bytes(rate), left);
  constexpr std::size_t width_max = 40;
  const auto taken = state.label.size() + figures.size() + 5;
  const auto width = columns > taken ? std::min(columns - taken, width_max) : 0;
  if (width < 5)
    return fmt::format("{} {}", state.label, figures).substr(0, columns);
  return fmt::format("{} [{}] {}", state.label, bar(share, width), figures);
}

progress::progress(std::string label, std::uint64_t total, bool wanted)
  : label_(std::move(label)),
    total_(total),
    wanted_(wanted && ::isatty(STDERR_FILENO) == 1),
    next_(start_ + std::chrono::seconds{1}) {}

void progress::at(std::uint64_t done) {
  if (!wanted_)
    return;
  const auto now = clock::now();
  if (now < next_)
    return;
  next_ = now + std::chrono::milliseconds{100};
  drawn_ = true;
  fmt::print(
    stderr, "\r{}\x1b[K",
    progress_line({label_, done, total_, seconds()}, terminal_columns() - 1));
  std::fflush(stderr);
}

void progress::clear() {
  if (!drawn_)
    return;
  drawn_ = false;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

double progress::seconds() const {
  return std::chrono::duration<double>(clock::now() - start_).count();
}

} // namespace torpor
