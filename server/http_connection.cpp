// SPDX-License-Identifier: Apache-2.0
#include "server/http_connection.hpp"

#include "server/http_error.hpp"

#include <utility>

// How a connection reads and when it ends; http_connection_send.cpp has how it
// answers.
namespace torpor {

namespace {

namespace http = boost::beast::http;
using http::status;
using namespace std::chrono_literals;

// How long a client may take to notice that it was answered for the last time.
constexpr auto linger_max = 2s;

constexpr http_refusal slow_request{
  status::request_timeout, "timeout",
  "the request did not come within http.header-timeout and http.body-timeout"};
constexpr http_refusal not_tls{status::bad_request, "invalid_argument",
                               "this port speaks TLS: use https://"};

} // namespace

http_connection::http_connection(http_worker& owner, int socket,
                                 SSL_CTX* secured)
  : owner_(owner),
    channel_(owner.loop().context(), socket, secured),
    reader_(owner.shared().limits) {}

http_connection::~http_connection() = default;

void http_connection::start() {
  if (!channel_.is_open())
    return close(); // The system had no room for it.
  set_deadline(owner_.options().idle_timeout);
  watch();
}

void http_connection::watch() {
  if (reads_ || ended_ || full_ || is_gone())
    return;
  reads_ = true;
  ++pending_;
  channel_.wait_read([this](boost::system::error_code) {
    reads_ = false;
    --pending_;
    on_readable();
    settle();
  });
}

void http_connection::on_readable() {
  using outcome = byte_channel::outcome;
  while (!is_gone() && !full_) {
    const auto input = owner_.input();
    const auto [result, bytes] = channel_.read(input);
    switch (result) {
      case outcome::done: break;
      case outcome::wait_read: return watch();
      case outcome::wait_write: return watch_write();
      case outcome::ended: return on_end();
      case outcome::failed: return lose();
      case outcome::not_tls: channel_.drop_tls(); return refuse(not_tls);
    }
    owner_.count_received(bytes);
    take({input.data(), bytes});
    if (!is_gone() && !channel_.has_pending())
      return watch();
  }
}

void http_connection::take(std::string_view bytes) {
  switch (phase_) {
    case phase::idle:
    case phase::header:
    case phase::body: return advance(bytes);
    case phase::serving:
    case phase::sending: full_ = !reader_.hold(bytes); return;
    case phase::draining:
    case phase::closed: return;
  }
}

void http_connection::advance(std::string_view bytes) {
  constexpr std::size_t corked_bytes_max = 64u << 10;
  bool more = true;
  for (; more; bytes = {}) {
    switch (reader_.feed(bytes)) {
      case request_reader::step::incomplete: await_rest(); break;
      case request_reader::step::refused: refuse(reader_.refusal()); break;
      case request_reader::step::complete: serve(); break;
    }
    more = phase_ == phase::idle && reader_.held() > 0
           && queue_.bytes() < corked_bytes_max;
  }
  if (!queue_.empty()) { // Answers to requests that came together.
    if (phase_ == phase::idle)
      phase_ = phase::sending;
    flush();
  }
}

void http_connection::await_rest() {
  if (phase_ == phase::idle && reader_.started()) {
    phase_ = phase::header;
    set_deadline(owner_.options().header_timeout);
  }
  if (phase_ == phase::header && reader_.in_body()) {
    phase_ = phase::body;
    set_deadline(owner_.options().body_timeout);
  }
  if (reader_.take_expectation())
    send({{"HTTP/1.1 100 Continue\r\n\r\n"}});
}

void http_connection::serve() {
  const auto& asked = reader_.request();
  phase_ = phase::serving;
  deadline_ = 0;
  open_ = true;
  begun_ = false;
  head_ = asked.method() == http::verb::head;
  old_client_ = asked.version() == 10;
  keep_alive_ = reader_.keep_alive();
  in_handler_ = true;
  owner_.handler().handle(*this);
  in_handler_ = false;
}

void http_connection::resume() {
  if (phase_ != phase::idle)
    return;
  advance({});
  on_readable();
}

void http_connection::on_end() {
  ended_ = true;
  switch (phase_) {
    case phase::serving:
      if (aborted_)
        lose();
      return;
    case phase::sending: return;
    case phase::idle:
      if (reader_.held() > 0) // `resume` is about to come.
        return;
      return close();
    default: return close();
  }
}

void http_connection::refuse(const http_refusal& why) {
  reader_.drop_request();
  head_ = false;
  keep_alive_ = false;
  phase_ = phase::serving;
  open_ = true;
  begun_ = false;
  respond(error_response(why.status, why.code, why.message));
}

void http_connection::wind_down(bool hard) {
  switch (phase_) {
    case phase::idle: return close();
    case phase::serving:
      if (hard || aborted_)
        lose();
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
