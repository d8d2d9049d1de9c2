// SPDX-License-Identifier: Apache-2.0
#include "cli/http_client.hpp"

#include "cli/client_token.hpp"
#include "cli/interrupt.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/scratch_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <tuple>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace torpor;
namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;

namespace {

/// Answers one request over TLS with a certificate for `host`.
class tls_server {
public:
  explicit tls_server(const std::string& host) {
    test::write_certificate(host, place_.path() + "/key", certificate());
    trust_.use_private_key_file(place_.path() + "/key", ssl::context::pem);
    trust_.use_certificate_chain_file(certificate());
    thread_ = std::thread{[this] { serve(); }};
  }
  ~tls_server() { thread_.join(); }

  [[nodiscard]] std::string certificate() const {
    return place_.path() + "/certificate";
  }

  [[nodiscard]] daemon_place place() const {
    daemon_place made;
    made.url = parse_http_url("https://127.0.0.1:"
                              + std::to_string(
                                acceptor_.local_endpoint().port()))
                 .value();
    made.ca_file = certificate();
    return made;
  }

private:
  void serve() {
    boost::system::error_code failed;
    ssl::stream<tcp::socket> stream{acceptor_.accept(), trust_};
    stream.handshake(ssl::stream_base::server, failed);
    boost::beast::flat_buffer buffer;
    boost::beast::http::request<boost::beast::http::empty_body> request;
    if (!failed)
      boost::beast::http::read(stream, buffer, request, failed);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    if (!failed)
      boost::asio::write(stream, boost::asio::buffer(answer), failed);
  }

  test::scratch_directory place_;
  boost::asio::io_context context_;
  ssl::context trust_{ssl::context::tls_server};
  tcp::acceptor acceptor_{
    context_, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

/// A port whose queue of connections is full: the next one gets no answer.
class full_port {
public:
  full_port() {
    acceptor_.open(tcp::v4());
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
    acceptor_.listen(0);
    for (auto& each : waiting_) {
      each.open(tcp::v4());
      each.native_non_blocking(true);
      const auto there = acceptor_.local_endpoint();
      std::ignore = ::connect(each.native_handle(), there.data(), // Asio waits.
                              static_cast<socklen_t>(there.size()));
    }
  }

  [[nodiscard]] daemon_place place() const {
    daemon_place made;
    made.url = parse_http_url("http://127.0.0.1:"
                              + std::to_string(
                                acceptor_.local_endpoint().port()))
                 .value();
    return made;
  }

private:
  boost::asio::io_context context_;
  tcp::acceptor acceptor_{context_};
  std::array<tcp::socket, 4> waiting_{tcp::socket{context_},
                                      tcp::socket{context_},
                                      tcp::socket{context_},
                                      tcp::socket{context_}};
};

/// Asks for "/".
result<http_answer> ask(const daemon_place& place) {
  return http_client{place}.send({http_method::get, "/", {}, {}});
}

} // namespace

TEST_SUITE_BEGIN("http_client");

TEST_CASE("a certificate is taken from who is named with --ca") {
  const tls_server server{"127.0.0.1"};
  const auto answer = ask(server.place());
  REQUIRE_MESSAGE(answer, answer.error().context);
  CHECK(answer->status == 200);
  CHECK(answer->body == "hi");
}

TEST_CASE("a certificate that nobody vouches for is refused") {
  const tls_server server{"127.0.0.1"};
  auto place = server.place();
  place.ca_file.clear();
  const auto answer = ask(place);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().context.find("--ca") != std::string::npos);
}

TEST_CASE("a certificate of another host is refused") {
  const tls_server server{"elsewhere.example"};
  CHECK_FALSE(ask(server.place()));
}

TEST_CASE("an interrupt ends a connect that nobody answers") {
  const full_port port;
  // Nothing takes an interrupt back: it is noted in a process of its own.
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(20); // The system itself tries for two minutes.
    note_interrupts();
    std::raise(SIGINT);
    const auto answer = ask(port.place());
    ::_exit(!answer && answer.error().code == errc::shut_down ? 0 : 1);
  }
  int ended = 0;
  REQUIRE(::waitpid(child, &ended, 0) == child);
  CHECK(ended == 0);
}

TEST_CASE("a token is the file's line, without what surrounds it") {
  const test::scratch_directory place;
  const auto path = place.path() + "/token";
  std::ofstream{path} << "  \n";
  CHECK(client_token(path).error().code == errc::invalid_argument);
  std::ofstream{path} << "torpor_abc\r\n";
  CHECK(client_token(path) == "torpor_abc");
  std::ofstream{path} << "two\nlines\n";
  CHECK(client_token(path).error().code == errc::invalid_argument);
  CHECK(client_token(path + "x").error().code == errc::io_failed);
}

TEST_CASE("a token that could forge a header is refused, unseen") {
  const test::scratch_directory place;
  const auto path = place.path() + "/token";
  std::ofstream{path} << "secret\r\nHost: x";
  const auto token = client_token(path);
  REQUIRE_FALSE(token);
  CHECK(token.error().context.find("secret") == std::string::npos);
}

TEST_SUITE_END();
