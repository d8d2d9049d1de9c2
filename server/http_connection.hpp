// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/byte_channel.hpp"
#include "server/http_exchange.hpp"
#include "server/http_head.hpp"
#include "server/http_worker.hpp"
#include "server/io_loop.hpp"
#include "server/request_reader.hpp"
#include "server/send_queue.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string_view>

namespace torpor {

/// One client: reads a request, has it handled, sends the answer, and so on, in
/// order. Waits for the socket to become readable all the time, so it notices
/// that a client goes away while an answer is being waited for; it reads into
/// its worker's buffer and holds none itself. All of its deadlines are one:
/// the phase says which.
/// Threads: those of its loop.
class http_connection final : public http_exchange {
public:
  http_connection(http_worker& owner, int socket, SSL_CTX* secured);
  ~http_connection() override;

  void start();

  /// The server stops: closes when nothing is being asked or answered, and
  /// aborts who would wait for long. `hard`: whatever it is.
  void wind_down(bool hard);

  [[nodiscard]] http_request& request() override;
  void drop_request() override;
  [[nodiscard]] std::string peer() const override { return channel_.peer(); }
  [[nodiscard]] io_loop& loop() override { return owner_.loop(); }
  void respond(http_response answer) override;
  void begin(http_response head) override;
  void write(shared_text part, std::string_view tail) override;
  [[nodiscard]] std::size_t unsent_bytes() const override {
    return queue_.bytes();
  }
  void on_drained(std::function<void()> then) override;
  void end() override;
  void on_abort(answer_wait wait, std::function<void()> then) override;

  std::size_t place = 0; ///< Among its worker's connections.

private:
  enum class phase : std::uint8_t {
    idle,     ///< Nothing of a request has come.
    header,   ///< A part of its header has.
    body,     ///< A part of its body is missing.
    serving,  ///< An exchange is open.
    sending,  ///< It has ended, but not all of it was taken.
    draining, ///< Sends no more; reads until the client has noticed.
    closed,
  };

  /// Bytes to send, in the caller's memory or owned.
  struct out_part {
    std::string_view bytes;
    shared_text owner{};
  };
  using out_parts = std::initializer_list<out_part>;

  // Reading.
  void watch();
  void on_readable();
  void take(std::string_view bytes);
  void advance(std::string_view bytes);
  void await_rest();
  [[nodiscard]] bool wants_body();
  void open_exchange();
  void serve();
  void resume();
  void on_end();
  void refuse(const http_refusal& why);

  // Sending.
  [[nodiscard]] bool corked() const;
  void send(out_parts parts);
  [[nodiscard]] std::size_t send_now(out_parts parts);
  void flush();
  void watch_write();
  void end_exchange();
  void finish();
  void after_answer();
  void call_drained();
  [[nodiscard]] bool stays() const;

  // Ending.
  [[nodiscard]] bool is_gone() const;
  void linger();
  void lose();
  void abort();
  void dismiss();
  void close();
  void settle();
  void nothing() {}
  template <void (http_connection::*Then)()>
  void defer();

  // Deadlines.
  void set_deadline(std::chrono::milliseconds span);
  void on_timer();
  void expire();

  http_worker& owner_;
  byte_channel channel_;
  request_reader reader_;
  send_queue queue_;
  std::function<void()> aborted_;
  std::function<void()> drained_;

  // The timer is not moved when a later deadline takes the place of its own: it
  // rings, and is armed again.
  std::uint64_t deadline_ = 0; // 0: none.
  std::uint64_t timer_at_ = 0; // 0: not armed.
  io_loop::timer timer_;

  std::uint32_t pending_ = 0; // Callbacks that know this object.
  phase phase_ = phase::idle;
  body_framing framing_ = body_framing::length;
  bool open_ = false;    // An exchange is, for the handler.
  bool begun_ = false;   // Its answer is.
  bool endless_ = false; // Its wait is.
  bool in_handler_ = false;
  bool head_ = false;       // The request's method.
  bool old_client_ = false; // HTTP/1.0.
  bool keep_alive_ = true;
  bool ended_ = false;  // The client sends no more.
  bool full_ = false;   // The client has sent too much ahead.
  bool losing_ = false; // `abort` is about to come.
  bool reads_ = false;  // A wait for the socket is under way.
  bool writes_ = false;
};

/// Calls at the end of the round: the handler, or a loop over connections, may
/// be at work now.
template <void (http_connection::*Then)()>
void http_connection::defer() {
  ++pending_;
  loop().at_end_of_round([this] {
    --pending_;
    (this->*Then)();
    settle();
  });
}

} // namespace torpor
