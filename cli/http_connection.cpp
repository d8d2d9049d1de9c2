// SPDX-License-Identifier: Apache-2.0
#include "cli/http_connection.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <fmt/format.h>

#include <vector>

namespace torpor {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

/// An answer that takes longer is not awaited any more.
constexpr std::chrono::seconds patience{60};
/// More than a daemon sends in one answer.
constexpr std::uint64_t body_bytes_max = 256u << 20;

} // namespace

http_connection::http_connection(const daemon_place& place) : place_(place) {}

result<std::unique_ptr<http_connection>>
http_connection::open(const daemon_place& place) {
  std::unique_ptr<http_connection> made{new http_connection{place}};
  if (const auto code = made->connect(); code) {
    auto why = made->failure("connect", code);
    if (!interrupted())
      why.context += "; is torpord running there?";
    return tl::unexpected{std::move(why)};
  }
  if (place.url.tls)
    if (const auto code = made->encrypt(); code)
      return tl::unexpected{made->failure("encrypt", code)};
  made->usable_ = true;
  return made;
}

/// Runs one operation until its end: `begin` gets what to call then.
template <class Begin>
http_connection::error_code http_connection::complete(Begin begin,
                                                      bool forever) {
  std::optional<error_code> outcome;
  const auto start = steady::now();
  begin([&outcome](error_code code, const auto&...) { outcome = code; });
  while (!outcome) {
    context_.restart();
    context_.run_for(std::chrono::milliseconds{100});
    if (outcome || (!interrupted()
                    && (forever || steady::now() - start < patience)))
      continue;
    error_code ignored;
    (tls_ ? tls_->next_layer() : socket_).close(ignored);
    context_.restart();
    context_.run();
    return asio::error::timed_out;
  }
  return *outcome;
}

http_connection::error_code http_connection::connect() {
  return place_.url.socket.empty() ? connect_tcp() : connect_local();
}

http_connection::error_code http_connection::connect_local() {
  if (place_.url.socket.size() >= sizeof(sockaddr_un::sun_path))
    return asio::error::name_too_long;
  const asio::local::stream_protocol::endpoint there{place_.url.socket};
  return complete([&](auto then) { socket_.async_connect(there, then); });
}

http_connection::error_code http_connection::connect_tcp() {
  error_code failed;
  asio::ip::tcp::resolver names{context_};
  const auto found = names.resolve(place_.url.host, place_.url.port, failed);
  if (failed)
    return failed;
  std::vector<asio::generic::stream_protocol::endpoint> places;
  for (const auto& each : found)
    places.emplace_back(each.endpoint());
  failed = complete(
    [&](auto then) { asio::async_connect(socket_, places, then); });
  if (!failed)
    socket_.set_option(asio::ip::tcp::no_delay{true}, failed);
  if (!failed)
    socket_.set_option(asio::socket_base::keep_alive{true}, failed);
  return failed;
}

http_connection::error_code http_connection::encrypt() {
  error_code failed;
  if (place_.ca_file.empty())
    trust_.set_default_verify_paths(failed);
  else
    trust_.load_verify_file(place_.ca_file, failed);
  if (failed)
    return failed;
  const auto& host = place_.url.host;
  tls_.emplace(std::move(socket_), trust_);
  tls_->set_verify_mode(asio::ssl::verify_peer, failed);
  if (!failed)
    tls_->set_verify_callback(asio::ssl::host_name_verification{host}, failed);
  if (!failed && SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1)
    failed = asio::error::invalid_argument;
  return failed ? failed : complete([&](auto then) {
    tls_->async_handshake(asio::ssl::stream_base::client, then);
  });
}

result<http_connection::response>
http_connection::exchange(const request& what, bool forever) {
  return tls_ ? exchange_on(*tls_, what, forever)
              : exchange_on(socket_, what, forever);
}

template <class Stream>
result<http_connection::response>
http_connection::exchange_on(Stream& stream, const request& what,
                             bool forever) {
  usable_ = false;
  const auto sent = complete(
    [&](auto then) { http::async_write(stream, what, then); });
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_bytes_max);
  parser.skip(what.method() == http::verb::head);
  // A server that refuses a long body answers before it has read all of it.
  const auto got = complete(
    [&](auto then) { http::async_read(stream, buffer_, parser, then); },
    forever);
  if (got)
    return tl::unexpected{failure("talk to", sent ? sent : got)};
  usable_ = !sent && parser.get().keep_alive();
  return parser.release();
}

error http_connection::failure(std::string_view what, error_code code) const {
  if (interrupted())
    return {errc::shut_down, "interrupted"};
  auto text = fmt::format("{} '{}': {}", what, place_.url.text, code.message());
  if (code.category() == asio::error::get_ssl_category())
    text += "; --ca FILE names who signed the server's certificate";
  return {errc::io_failed, std::move(text)};
}

} // namespace torpor
