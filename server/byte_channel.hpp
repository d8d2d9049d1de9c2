// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/tls_context.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <sys/uio.h>

namespace torpor {

/// A connected socket, TCP or Unix, with TLS or without. Reads and writes what
/// can be done now, into the caller's memory: while it waits it holds none.
/// Threads: one owner.
class byte_channel {
public:
  enum class outcome {
    done,       ///< Some bytes.
    wait_read,  ///< Nothing can be done until the socket can be read.
    wait_write, ///< Until it can be written; TLS wants that of reads, too.
    ended,      ///< The peer sends no more.
    failed,     ///< The connection is of no use any more.
    not_tls,    ///< The peer speaks HTTP without TLS; see `drop_tls`.
  };
  struct progress {
    outcome result;
    std::size_t bytes = 0;
  };

  /// Takes over a socket that does not block; `secured` asks for TLS.
  byte_channel(boost::asio::io_context& context, int socket, SSL_CTX* secured);

  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

  /// Room for 16 KiB at least: all that TLS decrypts at once. What is left is
  /// in the socket, which can be waited for.
  [[nodiscard]] progress read(std::span<char> into);
  /// Writes the beginning of the parts, which are not all empty. One that was
  /// told to wait has to begin with the same bytes the next time.
  [[nodiscard]] progress write(std::span<const iovec> parts);

  /// Calls `then(failed)` when the socket can be read or written, or is closed.
  template <class Then>
  void wait_read(Then&& then) {
    socket_.async_wait(socket_type::wait_read, std::forward<Then>(then));
  }
  template <class Then>
  void wait_write(Then&& then) {
    socket_.async_wait(socket_type::wait_write, std::forward<Then>(then));
  }

  /// Goes on without TLS: after `not_tls`.
  void drop_tls() noexcept { tls_.reset(); }

  /// Tells the peer that no more will come.
  void end_writing();
  void close();

  /// "127.0.0.1", "::1" or "unix".
  [[nodiscard]] std::string peer() const;

private:
  using socket_type = boost::asio::posix::basic_stream_descriptor<
    boost::asio::io_context::executor_type>;

  [[nodiscard]] int number() const {
    return const_cast<socket_type&>(socket_).native_handle();
  }
  [[nodiscard]] progress read_tls(std::span<char> into);
  [[nodiscard]] progress write_tls(std::span<const iovec> parts);
  [[nodiscard]] progress tls_outcome(int returned);

  socket_type socket_;
  tls_session tls_;
};

} // namespace torpor
