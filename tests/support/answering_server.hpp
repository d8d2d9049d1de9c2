// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace torpor::test {

/// An HTTP server for tests of clients: a function answers. Serves each
/// connection in a thread of its own.
class answering_server {
public:
  using request = boost::beast::http::request<boost::beast::http::string_body>;
  using response = boost::beast::http::response<
    boost::beast::http::string_body>;
  /// Called for one request at a time; without an answer the connection is cut.
  using function = std::function<std::optional<response>(const request&)>;

  /// On any free port of this machine.
  explicit answering_server(function answer);
  /// On a Unix socket.
  answering_server(function answer, const std::string& path);
  answering_server(const answering_server&) = delete;
  answering_server& operator=(const answering_server&) = delete;
  ~answering_server();

  [[nodiscard]] const std::string& url() const noexcept { return url_; }

private:
  using socket = boost::asio::generic::stream_protocol::socket;

  template <class Acceptor>
  void listen(Acceptor& acceptor);
  void serve(socket& with);

  function answer_;
  std::string url_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor tcp_{context_};
  boost::asio::local::stream_protocol::acceptor local_{context_};
  std::mutex mutex_;
  std::mutex answer_mutex_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<socket>> sockets_;
  std::vector<std::thread> threads_;
  std::thread listener_;
};

/// "204" and some headers.
[[nodiscard]] answering_server::response
answer_with(unsigned status,
            const std::vector<std::pair<std::string, std::string>>& fields = {},
            std::string body = {});

} // namespace torpor::test
