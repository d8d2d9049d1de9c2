// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/clock.hpp"
#include "server/http_listener.hpp"
#include "server/http_options.hpp"
#include "server/http_worker.hpp"
#include "server/io_loop.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace torpor {

/// Makes the handler of one loop, before the loop runs.
using handler_factory
  = std::function<std::unique_ptr<http_handler>(io_loop& loop)>;

/// The door: listens, and serves connections on a few loops with a thread each.
/// Threads: any single one makes, stops and destroys it; the rest any.
class http_server {
public:
  /// Opens the door. The path of the Unix socket is taken as it is. Errors:
  /// those of `validate`, `open_tls`, `listen_tcp` and `listen_unix`; io_failed
  /// when there are no descriptors or threads for the loops.
  [[nodiscard]] static result<std::unique_ptr<http_server>>
  start(const http_options& options, const handler_factory& make_handler,
        const clock& time);
  [[nodiscard]] static result<std::unique_ptr<http_server>>
  start(const http_options& options, const handler_factory& make_handler);

  /// Stops. The loops have to outlive whoever may still post to them: destroy a
  /// server after its engine was closed.
  ~http_server();

  /// Accepts no more, closes what waits, gives what is being answered up to
  /// the stop's timeout, then ends the loops. What is posted to them from then
  /// on is dropped.
  void stop();

  /// Where TCP is listened at; not 0.
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// Open connections.
  [[nodiscard]] std::uint32_t connections() const noexcept {
    return shared_.connections.load(std::memory_order_relaxed);
  }
  [[nodiscard]] http_traffic traffic() const;

  /// Its loops, as many as threads.
  [[nodiscard]] io_loop& loop(std::size_t number) { return *loops_[number]; }
  [[nodiscard]] std::size_t loops() const noexcept { return loops_.size(); }

private:
  explicit http_server(const http_options& options);
  [[nodiscard]] result<void> make_loops(const clock& time);
  [[nodiscard]] result<void> listen();
  [[nodiscard]] result<void> listen_at(listening_socket socket, bool secured);
  [[nodiscard]] result<void> run(const handler_factory& make_handler);
  void remove_socket_file();

  http_shared shared_;
  std::vector<std::unique_ptr<io_loop>> loops_;
  std::vector<std::unique_ptr<http_worker>> workers_;
  std::vector<std::unique_ptr<http_listener>> listeners_; // On the first loop.
  std::vector<std::thread> threads_;
  std::size_t next_ = 0; // The worker that gets the next connection.
  std::uint16_t port_ = 0;
  ino_t socket_file_ = 0;
};

} // namespace torpor
