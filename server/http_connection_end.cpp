// SPDX-License-Identifier: Apache-2.0
#include "server/http_connection.hpp"

#include <utility>

// How a connection ends, and its deadlines.
namespace torpor {

namespace {

using boost::beast::http::status;
using namespace std::chrono_literals;

// How long a client may take to notice that it was answered for the last time.
constexpr auto linger_max = 2s;

constexpr http_refusal slow_request{
  status::request_timeout, "timeout",
  "the request did not come within http.header-timeout and http.body-timeout"};

constexpr http_refusal leaving{status::service_unavailable, "shut_down",
                               "torpord is stopping; come again", 1};

} // namespace

void http_connection::wind_down(bool hard) {
  switch (phase_) {
    case phase::idle: return close();
    case phase::serving:
      if (hard)
        lose();
      else if (endless_)
        defer<&http_connection::dismiss>();
      return;
    case phase::closed: return;
    default:
      if (hard)
        close();
  }
}

// Whoever closes at once, with bytes unread, resets the connection, and the
// client may never see the answer.
void http_connection::linger() {
  phase_ = phase::draining;
  full_ = false;
  channel_.end_writing();
  if (ended_)
    return close();
  set_deadline(linger_max);
  watch();
}

/// The connection is of no use any more. The handler may be at work: it gets to
/// know at the end of the round.
void http_connection::lose() {
  if (is_gone())
    return;
  losing_ = true;
  defer<&http_connection::abort>();
}

/// The server stops: who waits without end is told to come again.
void http_connection::dismiss() {
  if (is_gone() || !endless_)
    return;
  std::exchange(aborted_, nullptr)();
  if (begun_)
    end();
  else
    refuse(leaving);
}

void http_connection::abort() {
  close();
  if (!open_ || !aborted_)
    return;
  drained_ = nullptr;
  const auto tell = std::exchange(aborted_, nullptr);
  tell();
  open_ = false;
}

void http_connection::close() {
  if (phase_ == phase::closed)
    return;
  phase_ = phase::closed;
  owner_.loop().cancel(timer_);
  channel_.close();
  queue_ = {};
  defer<&http_connection::nothing>();
}

/// Ends its own life when nobody knows it any more: the last thing that a
/// callback does.
void http_connection::settle() {
  if (phase_ == phase::closed && !open_ && pending_ == 0)
    owner_.remove(*this);
}

bool http_connection::is_gone() const {
  return losing_ || phase_ == phase::closed;
}

void http_connection::set_deadline(std::chrono::milliseconds span) {
  deadline_ = loop().now_ms() + static_cast<std::uint64_t>(span.count());
  if (timer_at_ != 0 && timer_at_ <= deadline_)
    return;
  loop().cancel(timer_);
  timer_at_ = deadline_;
  timer_ = loop().call_at(deadline_, [this] { on_timer(); });
}

void http_connection::on_timer() {
  timer_at_ = 0;
  if (deadline_ == 0 || is_gone())
    return;
  if (const auto now = loop().now_ms(); now < deadline_)
    return set_deadline(std::chrono::milliseconds{deadline_ - now});
  expire();
}

void http_connection::expire() {
  deadline_ = 0;
  switch (phase_) {
    case phase::header:
    case phase::body: return refuse(slow_request);
    case phase::serving: return lose();
    default: return close();
  }
}

} // namespace torpor
