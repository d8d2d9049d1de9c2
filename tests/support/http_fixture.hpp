// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_server.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/raw_client.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace torpor::test {

/// Waits for what other threads are about to do.
template <class Condition>
void wait_until(Condition holds) {
  const auto late = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!holds()) {
    REQUIRE(std::chrono::steady_clock::now() < late);
    std::this_thread::yield();
  }
}

/// What the handlers of all loops tell a test. Threads: any.
struct door_log {
  std::atomic<int> requests{0};
  std::atomic<int> aborts{0};
  std::atomic<int> refusals{0};
  std::atomic<int> drains{0};
  std::atomic<std::size_t> unsent_bytes{0};
};

/// Answers as the path says: /echo with the request; /later when `answer` is
/// called, /later-told too and with on_abort; /wait never, /wait-deaf neither
/// and without on_abort; /parts in parts; /events begins and stays; /flood writes
/// 1 MiB each time the client has taken all; /empty with 204; /large with 4 MiB;
/// /refuse with 403, without a body if it comes late.
class script_handler final : public http_handler {
  using status = boost::beast::http::status;

public:
  explicit script_handler(door_log& log) : log_(log) {}

  bool wants_body(http_exchange& exchange) override {
    if (exchange.request().target() != "/refuse")
      return true;
    exchange.respond({status::forbidden, 11});
    return false;
  }

  void refused(const http_response&) override { ++log_.refusals; }

  void handle(http_exchange& exchange) override {
    ++log_.requests;
    const std::string path{exchange.request().target()};
    if (path == "/later-told")
      watch(exchange, answer_wait::bounded);
    if (path == "/later" || path == "/later-told")
      return waiting_.push_back(&exchange);
    if (path == "/wait-deaf")
      return;
    if (path == "/wait")
      return watch(exchange);
    if (path == "/parts")
      return answer_in_parts(exchange);
    if (path == "/events" || path == "/flood")
      return begin(exchange, path == "/flood");
    exchange.respond(whole(exchange, path));
  }

  /// Answers who waits for it, oldest first.
  void answer(const std::string& text) { answer(share(text)); }
  void answer(shared_text body) {
    CHECK(!waiting_.empty());
    if (waiting_.empty())
      return; // A throw would end the loop's thread, for which a test waits.
    auto* const first = waiting_.front();
    waiting_.erase(waiting_.begin());
    http_response made{boost::beast::http::status::ok, 11};
    made.body() = std::move(body);
    first->respond(std::move(made));
  }

  /// Writes to all who asked for events.
  void write(const std::string& text) { write(share(text)); }
  void write(const shared_text& part) {
    for (auto* each : listening_)
      each->write(part, {});
  }
  void end_events() {
    for (auto* each : std::exchange(listening_, {}))
      each->end();
  }

private:
  static http_response whole(http_exchange& exchange, const std::string& path) {
    http_response made{path == "/empty"    ? status::no_content
                       : path == "/refuse" ? status::forbidden
                                           : status::ok,
                       11};
    if (path == "/large")
      made.body() = share(std::string(4u << 20, 'x'));
    else if (path != "/empty")
      made.body() = share(std::string{exchange.request().method_string()} + " "
                          + path + " " + exchange.request().body());
    return made;
  }

  void watch(http_exchange& exchange,
             answer_wait wait = answer_wait::endless) {
    exchange.drop_request();
    exchange.on_abort(wait, [this, &exchange] {
      ++log_.aborts;
      std::erase(listening_, &exchange);
      std::erase(waiting_, &exchange);
    });
  }

  static void answer_in_parts(http_exchange& exchange) {
    exchange.begin(http_response{status::ok, 11});
    exchange.write(share("one "), {});
    exchange.write(share(""), "two ");
    exchange.write(share(""), {});
    exchange.write(share("thr"), "ee");
    exchange.end();
  }

  void begin(http_exchange& exchange, bool floods) {
    exchange.begin(http_response{status::ok, 11});
    watch(exchange);
    listening_.push_back(&exchange);
    if (floods)
      flood(exchange);
  }

  void flood(http_exchange& exchange) {
    static const auto part = share(std::string(1u << 20, 'x'));
    exchange.write(part, {});
    log_.unsent_bytes = exchange.unsent_bytes();
    exchange.on_drained([this, &exchange] {
      ++log_.drains;
      flood(exchange);
    });
  }

  door_log& log_;
  std::vector<http_exchange*> waiting_;
  std::vector<http_exchange*> listening_;
};

/// A server on a free port whose clock is turned by hand.
class http_fixture {
public:
  http_fixture() {
    options.port = 0;
    options.socket.clear();
    options.threads = 1;
  }

  /// With what `options` say then.
  void start() {
    auto started = http_server::start(
      options,
      [this](io_loop&) {
        auto made = std::make_unique<script_handler>(log);
        handlers.push_back(made.get());
        return made;
      },
      time);
    INFO((started ? std::string{} : started.error().context));
    REQUIRE(started);
    server = std::move(*started);
  }

  [[nodiscard]] raw_client connect(int receive_buffer = 0) {
    if (!server)
      start();
    return raw_client{server->port(), receive_buffer};
  }

  /// Runs a task on each loop and waits for it.
  void on_loops(const std::function<void(std::size_t)>& task) {
    for (std::size_t i = 0; i < server->loops(); ++i) {
      std::promise<void> done;
      server->loop(i).post([&] {
        task(i);
        done.set_value();
      });
      done.get_future().wait();
    }
  }

  void with_handler(const std::function<void(script_handler&)>& task) {
    on_loops([&](std::size_t i) { task(*handlers[i]); });
  }

  void turn(std::chrono::milliseconds span) {
    // What goes on counts as before; a connection that was counted is on its
    // way from the listener's loop to its own.
    for (int i = 0; i < 2; ++i)
      on_loops([](std::size_t) {});
    time.monotonic += static_cast<std::uint64_t>(span.count());
    on_loops([&](std::size_t i) { server->loop(i).call_due(); });
  }

  /// Waits until the server has read as many bytes in all, and seen to them.
  void until_received(std::size_t bytes) {
    wait_until([&] { return server->traffic().received_bytes >= bytes; });
    on_loops([](std::size_t) {});
  }

  http_options options;
  manual_clock time;
  door_log log;
  std::vector<script_handler*> handlers;
  std::unique_ptr<http_server> server;
};

} // namespace torpor::test
