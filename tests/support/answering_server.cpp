// SPDX-License-Identifier: Apache-2.0
#include "tests/support/answering_server.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace torpor::test {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using local = boost::asio::local::stream_protocol;
using error_code = boost::system::error_code;

answering_server::answering_server(function answer)
  : answer_(std::move(answer)) {
  const tcp::endpoint any{boost::asio::ip::address_v4::loopback(), 0};
  tcp_ = tcp::acceptor{context_, any};
  url_ = "http://127.0.0.1:" + std::to_string(tcp_.local_endpoint().port());
  listener_ = std::thread{[this] { listen(tcp_); }};
}

answering_server::answering_server(function answer, const std::string& path)
  : answer_(std::move(answer)), url_("unix:" + path) {
  local_ = local::acceptor{context_, local::endpoint{path}};
  listener_ = std::thread{[this] { listen(local_); }};
}

answering_server::~answering_server() {
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
    for (auto& each : sockets_)
      ::shutdown(each->native_handle(), SHUT_RDWR);
  }
  ::shutdown((tcp_.is_open() ? tcp_.native_handle() : local_.native_handle()),
             SHUT_RDWR);
  listener_.join();
  for (auto& each : threads_)
    each.join();
}

template <class Acceptor>
void answering_server::listen(Acceptor& acceptor) {
  for (;;) {
    error_code failed;
    auto accepted = acceptor.accept(failed);
    const std::lock_guard guard{mutex_};
    if (failed || stopping_)
      return;
    auto& added = *sockets_.emplace_back(
      std::make_unique<socket>(std::move(accepted)));
    threads_.emplace_back([this, &added] { serve(added); });
  }
}

void answering_server::serve(socket& with) {
  boost::beast::flat_buffer buffer;
  error_code failed;
  while (!failed) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(64u << 20);
    http::read(with, buffer, parser, failed);
    if (failed)
      break;
    std::optional<response> answer;
    {
      const std::lock_guard guard{answer_mutex_};
      answer = answer_(parser.get());
    }
    if (!answer)
      break;
    http::response_serializer<http::string_body> serializer{*answer};
    if (parser.get().method() == http::verb::head)
      http::write_header(with, serializer, failed);
    else
      http::write(with, serializer, failed);
    if (!answer->keep_alive())
      break;
  }
  ::shutdown(with.native_handle(), SHUT_RDWR);
}

answering_server::response
answer_with(unsigned status,
            const std::vector<std::pair<std::string, std::string>>& fields,
            std::string body) {
  answering_server::response made{static_cast<http::status>(status), 11};
  for (const auto& [name, value] : fields)
    made.set(name, value);
  made.body() = std::move(body);
  made.prepare_payload();
  return made;
}

} // namespace torpor::test
