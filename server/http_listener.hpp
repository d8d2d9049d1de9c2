// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_worker.hpp"
#include "server/io_loop.hpp"
#include "server/listen.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstdint>
#include <functional>

namespace torpor {

/// Accepts what comes at a socket. Beyond the limit of connections it answers
/// 503 and closes at once; when the process has no descriptors left, it tries
/// again a tenth of a second later.
/// Threads: those of its loop.
class http_listener {
public:
  /// `accepted` takes over a socket, which is counted in `shared`.
  http_listener(http_shared& shared, io_loop& loop, listening_socket socket,
                bool secured, std::function<void(int socket)> accepted);
  ~http_listener();

  /// False when the system had no room for it; then it cannot be started.
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  void start() { watch(); }
  void close();

private:
  void watch();
  void accept();
  void hand_on(int socket);
  void refuse(int socket);
  void pause(int number);

  http_shared& shared_;
  io_loop& loop_;
  boost::asio::posix::basic_stream_descriptor<
    boost::asio::io_context::executor_type>
    socket_;
  bool secured_;
  std::function<void(int)> accepted_;
  io_loop::timer pause_;
  bool paused_ = false;
  std::uint64_t warn_from_ms_ = 0; ///< Not again before.
};

} // namespace torpor
