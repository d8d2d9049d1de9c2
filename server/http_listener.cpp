// SPDX-License-Identifier: Apache-2.0
#include "server/http_listener.hpp"

#include "server/http_error.hpp"
#include "server/http_head.hpp"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace torpor {

namespace {

/// Whether accept failed because of one connection, and not for want of room.
bool can_go_on(int number) {
  return number != EMFILE && number != ENFILE && number != ENOBUFS
         && number != ENOMEM;
}

} // namespace

http_listener::http_listener(http_shared& shared, io_loop& loop,
                             listening_socket socket, bool secured,
                             std::function<void(int)> accepted)
  : shared_(shared),
    loop_(loop),
    socket_(loop.context()),
    secured_(secured),
    accepted_(std::move(accepted)) {
  boost::system::error_code failure;
  socket_.assign(socket.number(), failure);
  if (!failure)
    std::ignore = socket.release();
}

http_listener::~http_listener() {
  loop_.cancel(pause_);
}

void http_listener::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void http_listener::watch() {
  socket_.async_wait(socket_.wait_read, [this](boost::system::error_code failed) {
    if (!failed && socket_.is_open())
      accept();
  });
}

// Not without end: connections that are there want their turn.
void http_listener::accept() {
  for (int i = 0; i < 64; ++i) {
    const int made = ::accept4(socket_.native_handle(), nullptr, nullptr,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (made >= 0) {
      paused_ = false;
      hand_on(made);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (!can_go_on(errno)) {
      return pause(errno);
    }
  }
  watch();
}

void http_listener::hand_on(int socket) {
  const auto most = shared_.options.connections_max;
  if (shared_.connections.fetch_add(1, std::memory_order_relaxed) < most)
    return accepted_(socket);
  shared_.connections.fetch_sub(1, std::memory_order_relaxed);
  refuse(socket);
}

void http_listener::refuse(int socket) {
  constexpr std::uint64_t warn_every_ms = 1000;
  if (const auto now = loop_.now_ms(); now >= warn_from_ms_) {
    warn_from_ms_ = now + warn_every_ms;
    spdlog::warn("connections-refused connections-max={}",
                 shared_.options.connections_max);
  }
  if (!secured_) {
    auto answer = error_response(boost::beast::http::status::service_unavailable,
                                 "overloaded",
                                 "there are http.connections-max connections; "
                                 "come again later");
    answer.set(boost::beast::http::field::retry_after, "1");
    std::string text;
    append_head(text, answer, {body_framing::length, false, false},
                date_text{}.at(loop_.time().wall_ms()));
    text += text_of(answer);
    std::ignore = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  }
  ::close(socket);
}

// The connection that waits would wake us again and again.
void http_listener::pause(int number) {
  constexpr std::uint64_t pause_ms = 100;
  if (!std::exchange(paused_, true))
    spdlog::error("accept-paused error=\"{}\" hint=\"raise the limit of open "
                  "files (ulimit -n, LimitNOFILE) or lower "
                  "http.connections-max\"",
                  std::generic_category().message(number));
  pause_ = loop_.call_at(loop_.now_ms() + pause_ms, [this] {
    if (socket_.is_open())
      accept();
  });
}

} // namespace torpor
