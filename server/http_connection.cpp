// SPDX-License-Identifier: Apache-2.0
#include "server/http_connection.hpp"

#include "server/http_error.hpp"

#include <fmt/format.h>

#include <utility>

// How a connection reads; http_connection_send.cpp has how it answers, and
// http_connection_end.cpp how it ends.
namespace torpor {

namespace {

namespace http = boost::beast::http;
using http::status;

constexpr http_refusal not_tls{status::bad_request, "invalid_argument",
                               "this port speaks TLS: use https://"};

constexpr http_refusal bodies_full{
  status::service_unavailable, "overloaded",
  "the bodies of all requests have reached http.bodies-bytes-max; nothing was "
  "done, come again later",
  1};

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
    if (!writes_ && !queue_.empty()) // TLS may have had to read before it could write.
      flush();
    settle();
  });
}

void http_connection::on_readable() {
  using outcome = byte_channel::outcome;
  if (is_gone())
    return;
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
  watch();
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
    if (!wants_body())
      return;
    phase_ = phase::body;
    set_deadline(owner_.options().body_timeout);
  }
  if (phase_ == phase::body && !reader_.charge_body())
    return refuse(bodies_full);
  if (reader_.take_expectation())
    send({{"HTTP/1.1 100 Continue\r\n\r\n"}});
}

/// Whether the body is to be read. Else the request is being answered without
/// it, for the last time: nobody could tell where the next one begins.
bool http_connection::wants_body() {
  open_exchange();
  keep_alive_ = false;
  in_handler_ = true;
  const bool wanted = owner_.handler().wants_body(*this);
  in_handler_ = false;
  if (wanted)
    open_ = false;
  return wanted;
}

void http_connection::serve() {
  open_exchange();
  in_handler_ = true;
  owner_.handler().handle(*this);
  in_handler_ = false;
}

void http_connection::open_exchange() {
  const auto& asked = reader_.request();
  phase_ = phase::serving;
  deadline_ = 0;
  open_ = true;
  begun_ = false;
  head_ = asked.method() == http::verb::head;
  old_client_ = asked.version() == 10;
  keep_alive_ = reader_.keep_alive();
}

void http_connection::resume() {
  if (phase_ != phase::idle)
    return;
  advance({});
  if (ended_ && phase_ != phase::serving)
    return on_end();
  watch();
}

void http_connection::on_end() {
  ended_ = true;
  switch (phase_) {
    case phase::serving:
      if (endless_)
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
  auto answer = error_response(why.status, why.code, why.message);
  if (why.retry_after_s != 0)
    answer.set(http::field::retry_after, fmt::to_string(why.retry_after_s));
  owner_.handler().refused(answer);
  respond(std::move(answer));
}

} // namespace torpor
