// SPDX-License-Identifier: Apache-2.0
#include "server/io_loop.hpp"

#include <boost/asio/post.hpp>

#include <limits>
#include <utility>

namespace torpor {

namespace {

constexpr auto never = std::numeric_limits<std::uint64_t>::max();

} // namespace

// One thread runs the context; others only queue work in it.
io_loop::io_loop(const clock& time)
  : time_(time),
    context_(1),
    work_(context_.get_executor()),
    wheel_(time.monotonic_ms()),
    system_timer_(context_),
    system_timer_at_(never) {}

io_loop::~io_loop() = default;

const clock& io_loop::machine_clock() {
  static const system_clock machine;
  return machine;
}

void io_loop::run() {
  context_.run();
  std::vector<std::function<void()>> dropped;
  const std::lock_guard guard{mutex_};
  ended_ = true;
  dropped.swap(posted_);
}

void io_loop::stop() {
  context_.stop();
}

void io_loop::post(std::function<void()> task) {
  bool first = false;
  {
    const std::lock_guard guard{mutex_};
    if (ended_)
      return;
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first)
    boost::asio::post(context_, [this] { run_posted(); });
}

void io_loop::run_posted() {
  {
    const std::lock_guard guard{mutex_};
    taken_.swap(posted_);
  }
  for (auto& each : taken_)
    each();
  taken_.clear();
}

// What is posted goes behind the next look at the sockets: one that finds more
// work does not put the end of the round off.
void io_loop::at_end_of_round(std::function<void()> task) {
  end_of_round_.push_back(std::move(task));
  if (end_of_round_.size() == 1)
    boost::asio::post(context_, [this] { run_end_of_round(); });
}

void io_loop::run_end_of_round() {
  ending_.swap(end_of_round_);
  for (auto& each : ending_)
    each();
  ending_.clear();
}

io_loop::timer io_loop::call_at(std::uint64_t ms, std::function<void()> then) {
  const auto place = calls_.take();
  const auto armed = wheel_.arm(ms, place);
  calls_[place] = {armed, std::move(then)};
  if (ms < system_timer_at_)
    arm_system_timer();
  return {armed, place};
}

bool io_loop::cancel(timer which) {
  if (which == timer{} || which.place >= calls_.size()
      || calls_[which.place].armed != which.armed)
    return false;
  calls_[which.place] = {};
  if (wheel_.cancel(which.armed)) // Else call_due is about to come to it.
    calls_.release(which.place);
  return true;
}

void io_loop::call_due() {
  const bool more = wheel_.poll(now_ms(), due_);
  for (const auto each : due_) {
    const auto place = static_cast<std::uint32_t>(each);
    const auto due = std::exchange(calls_[place], {});
    calls_.release(place);
    if (due.then)
      due.then();
  }
  due_.clear();
  if (more)
    boost::asio::post(context_, [this] { call_due(); });
  else
    arm_system_timer();
}

void io_loop::arm_system_timer() {
  const auto next = wheel_.next();
  if (!next || *next >= system_timer_at_)
    return;
  const auto now = now_ms();
  const auto wait = *next > now ? *next - now : 0;
  system_timer_at_ = *next;
  system_timer_.expires_after(std::chrono::milliseconds{wait});
  system_timer_.async_wait([this](boost::system::error_code failure) {
    if (failure) // An earlier one took its place.
      return;
    system_timer_at_ = never;
    call_due();
  });
}

} // namespace torpor
