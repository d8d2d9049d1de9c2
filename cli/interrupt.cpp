// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.hpp"

#include "cli/seconds.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

namespace torpor {

namespace {

std::atomic<bool> came{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void note(int) {
  came = true;
}

} // namespace

void note_interrupts() {
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

bool interrupted() noexcept {
  return came;
}

bool wait_for(std::chrono::duration<double> time) {
  constexpr steady::duration slice = std::chrono::milliseconds{100};
  const auto end = steady::now()
                   + std::chrono::duration_cast<steady::duration>(time);
  for (auto now = steady::now(); now < end && !interrupted();
       now = steady::now())
    std::this_thread::sleep_for(std::min(slice, end - now));
  return !interrupted();
}

} // namespace torpor
