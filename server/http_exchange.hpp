// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/shared_text.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace torpor {

class io_loop;

/// What was asked for: a whole message, its body in memory.
using http_request = boost::beast::http::request<
  boost::beast::http::string_body>;
/// The body of an answer.
struct shared_body {
  using value_type = shared_text;
};
/// What is answered in one go. The door adds Date, Content-Length, what keeps
/// the connection, and the standard headers (server/http_head.hpp) that it does
/// not bring; the status 204 and 304 have no body. The answer to HEAD may bring
/// its Content-Length.
using http_response = boost::beast::http::response<shared_body>;

/// An answer's body.
[[nodiscard]] inline std::string_view
text_of(const http_response& answer) noexcept {
  return answer.body() ? std::string_view{*answer.body()} : std::string_view{};
}

/// The request's path and query: "/v1/stream/a?offset=-1".
[[nodiscard]] inline std::string_view
target_of(const http_request& request) noexcept {
  return {request.target().data(), request.target().size()};
}

/// How long an answer can be in coming.
enum class answer_wait {
  bounded, ///< It comes soon: also to a client that only ended its own side.
  endless, ///< As long as its client is there, which has to be seen.
};

/// One request and its answer. The connection owns it; it is valid from
/// `http_handler::handle` until `respond` or `end` was called, or the function
/// given to `on_abort` has returned.
/// Threads: those of its loop, which is one.
class http_exchange {
public:
  virtual ~http_exchange() = default;

  /// The request; its memory goes with `begin`, `respond` and `drop_request`.
  [[nodiscard]] virtual http_request& request() = 0;

  /// Gives the request's memory back: for answers that are long in coming.
  virtual void drop_request() = 0;

  /// Who asks: "127.0.0.1", "unix" or an IPv6 address, for logs.
  [[nodiscard]] virtual std::string peer() const = 0;

  /// Where work for this exchange has to run.
  [[nodiscard]] virtual io_loop& loop() = 0;

  /// Answers, and ends the exchange.
  virtual void respond(http_response answer) = 0;

  /// Begins an answer whose body comes in parts: chunked, or up to the end of
  /// the connection for a client of HTTP/1.0.
  virtual void begin(http_response head) = 0;

  /// The next part of the body, and a tail that is this client's alone, in one:
  /// is sent when the client takes it.
  virtual void write(shared_text part, std::string_view tail) = 0;

  /// Bytes given to `write` and not taken by the system yet. Who writes bounds
  /// it: a slow client must not cost memory.
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;

  /// Calls once when all that was written has been taken by the system; at the
  /// end of the round if it has already. Not when the exchange ends before.
  virtual void on_drained(std::function<void()> then) = 0;

  /// Ends the body and the exchange; the connection can be used again.
  virtual void end() = 0;

  /// Calls when the exchange is given up before it has ended: the client goes
  /// away or was too slow, or the server has stopped waiting; an endless wait
  /// also when the client ends its own side or the server begins to stop. Never
  /// from within a call of the exchange. Nothing must be called on it afterwards.
  /// Without it an exchange that was given up stays, silent, until it is
  /// answered.
  virtual void on_abort(answer_wait wait, std::function<void()> then) = 0;
};

/// Answers requests. Each loop has its own. Threads: those of its loop.
class http_handler {
public:
  virtual ~http_handler() = default;

  /// Called when the header of a request is there and a part of its body is
  /// missing, before the body is read on. False when the body does not matter:
  /// then it has been answered, or will be, and its connection ends with that.
  [[nodiscard]] virtual bool wants_body(http_exchange&) { return true; }

  /// Called with what a connection answers by itself, to what never became a
  /// request for `handle`, or to who waits when the server stops.
  virtual void refused(const http_response&) {}

  /// Called with each request when its body is there. Answers now or later.
  virtual void handle(http_exchange& exchange) = 0;
};

} // namespace torpor
