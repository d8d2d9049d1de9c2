// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/daemon_place.hpp"
#include "cli/interrupt.hpp"
#include "cli/seconds.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>
#include <optional>
#include <variant>

namespace torpor {

/// An open connection, by TCP, TLS or a Unix socket. Calls block, but end when
/// the process is interrupted or nothing came for too long.
/// Threads: one owner.
class http_connection {
public:
  using request = boost::beast::http::request<
    boost::beast::http::span_body<const char>>;
  using response = boost::beast::http::response<
    boost::beast::http::string_body>;

  /// Errors: io_failed, shut_down (interrupted).
  [[nodiscard]] static result<std::unique_ptr<http_connection>>
  open(const daemon_place& place);

  /// Sends one request and waits for its answer; `forever`: however long.
  [[nodiscard]] result<response> exchange(const request& what, bool forever);

  /// False when the server or an error ended it.
  [[nodiscard]] bool usable() const noexcept { return usable_; }

private:
  using socket = boost::asio::generic::stream_protocol::socket;
  using tls_stream = boost::asio::ssl::stream<socket>;
  using error_code = boost::system::error_code;

  explicit http_connection(const daemon_place& place);

  [[nodiscard]] error_code connect();
  [[nodiscard]] error_code connect_local();
  [[nodiscard]] error_code connect_tcp();
  [[nodiscard]] error_code encrypt();
  template <class Begin>
  [[nodiscard]] error_code complete(Begin begin, bool forever = false);
  template <class Stream>
  [[nodiscard]] result<response> exchange_on(Stream& stream,
                                             const request& what,
                                             bool forever);
  [[nodiscard]] error failure(std::string_view what, error_code code) const;

  const daemon_place& place_;
  boost::asio::io_context context_;
  boost::asio::ssl::context trust_{boost::asio::ssl::context::tls_client};
  socket socket_{context_};
  std::optional<tls_stream> tls_; ///< Has the socket then.
  boost::beast::flat_buffer buffer_;
  bool usable_ = false;
};

} // namespace torpor
