// SPDX-License-Identifier: Apache-2.0
#include "server/tls_context.hpp"

#include "tests/support/http_fixture.hpp"
#include "tests/support/tls_files.hpp"

#include <doctest/doctest.h>

#include <string>

#include <openssl/ssl.h>

using namespace torpor;
using namespace std::chrono_literals;
using test::wait_until;

namespace {

constexpr std::string_view get_echo = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n";

struct fixture : test::http_fixture {
  fixture() {
    options.tls_certificate = files.certificate;
    options.tls_key = files.key;
  }
  test::tls_files files;
};

/// Speaks TLS over a client's socket.
class tls_client {
public:
  explicit tls_client(test::raw_client socket, int newest = TLS1_3_VERSION)
    : socket_(std::move(socket)),
      context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(context_.get(), 0); // Old versions, too.
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), newest);
    session_.reset(SSL_new(context_.get()));
    SSL_set_fd(session_.get(), socket_.number());
  }

  [[nodiscard]] bool shake_hands() { return SSL_connect(session_.get()) == 1; }

  void send(std::string_view text) {
    while (!text.empty()) {
      std::size_t sent = 0;
      REQUIRE(SSL_write_ex(session_.get(), text.data(), text.size(), &sent)
              == 1);
      text.remove_prefix(sent);
    }
  }

  /// Reads until it has as many bytes, or the server ends.
  [[nodiscard]] std::string read(std::size_t most = ~std::size_t{0}) {
    std::string text;
    char buffer[16 << 10];
    for (std::size_t got = 0; text.size() < most; text.append(buffer, got))
      if (SSL_read_ex(session_.get(), buffer,
                      std::min(sizeof buffer, most - text.size()), &got)
          != 1)
        break;
    return text;
  }

  [[nodiscard]] test::raw_client& socket() { return socket_; }

private:
  test::raw_client socket_;
  tls_context context_;
  tls_session session_;
};

} // namespace

TEST_CASE_FIXTURE(fixture, "TLS serves requests as a plain port does") {
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_client client{connect(), newest};
    REQUIRE(client.shake_hands());
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                "GET /parts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto said = client.read();
    CHECK(said.find("\r\n\r\nPOST /echo abcHTTP/1.1 200 OK\r\n") != said.npos);
    CHECK(said.ends_with("5\r\nthree\r\n0\r\n\r\n"));
  }
}

TEST_CASE_FIXTURE(fixture, "large bodies go both ways over TLS") {
  tls_client client{connect()};
  REQUIRE(client.shake_hands());
  const std::string body(3u << 20, 'y');
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: "
              + std::to_string(body.size()) + "\r\n\r\n" + body);
  client.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto said = client.read();
  CHECK(said.find("\r\n\r\nPOST /echo " + body + "HTTP/1.1") != said.npos);
  CHECK(said.ends_with("\r\n\r\n" + std::string(4u << 20, 'x')));
}

TEST_CASE_FIXTURE(fixture, "versions before TLS 1.2 are refused") {
  tls_client client{connect(), TLS1_1_VERSION};
  CHECK_FALSE(client.shake_hands());
  wait_until([&] { return server->connections() == 0; });
}

TEST_CASE_FIXTURE(fixture, "plain HTTP on a port with TLS is told so") {
  auto client = connect();
  client.send(get_echo);
  const auto answer = client.read_answer();
  CHECK(answer.status == 400);
  CHECK(answer.body.find("this port speaks TLS: use https://")
        != std::string::npos);
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(fixture, "what is neither TLS nor HTTP is dropped") {
  auto client = connect();
  client.send("nonsense that goes on for a while\n");
  std::ignore = client.read_to_end(); // An alert, maybe.
  client.close();
  wait_until([&] { return server->connections() == 0; });
  CHECK(log.requests == 0);
}

TEST_CASE_FIXTURE(fixture, "a handshake that stops half way is dropped") {
  auto client = connect();
  client.send(std::string_view{"\x16\x03\x01\x02\x00\x01", 6});
  wait_until([&] { return server->connections() == 1; });
  turn(options.idle_timeout);
  wait_until([&] { return server->connections() == 0; });
}

TEST_CASE_FIXTURE(fixture, "a client with TLS that goes away ends its answer") {
  tls_client client{connect()};
  REQUIRE(client.shake_hands());
  client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return log.requests == 1; });
  client.socket().close();
  wait_until([&] { return log.aborts == 1; });
}

TEST_CASE_FIXTURE(fixture, "events reach a client with TLS one by one") {
  tls_client client{connect()};
  REQUIRE(client.shake_hands());
  client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string head;
  while (!head.ends_with("\r\n\r\n"))
    head += client.read(1);
  with_handler([](auto& handler) { handler.write("a"); });
  CHECK(client.read(6) == "1\r\na\r\n");
  turn(24h);
  with_handler([](auto& handler) { handler.write("bc"); });
  CHECK(client.read(7) == "2\r\nbc\r\n");
}

TEST_CASE_FIXTURE(fixture, "a client with TLS that takes nothing is dropped") {
  tls_client client{connect(4096)};
  REQUIRE(client.shake_hands());
  client.send("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return log.requests == 1; });
  wait_until([&] {
    turn(options.write_timeout);
    return server->connections() == 0;
  });
  CHECK(log.aborts == 1);
}

TEST_CASE("a certificate or key that cannot be used is named") {
  const test::tls_files files;
  const test::tls_files others;
  CHECK(open_tls(files.certificate, files.key));
  const auto missing = open_tls("/nowhere/certificate", files.key);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().context.starts_with(
    "http.tls-certificate '/nowhere/certificate' cannot be used (No such file "
    "or directory); "));
  const auto keyless = open_tls(files.certificate, "/nowhere/key");
  REQUIRE_FALSE(keyless);
  CHECK(keyless.error().context.starts_with(
    "http.tls-key '/nowhere/key' cannot be used (No such file or directory); "));
  const auto swapped = open_tls(files.certificate, files.certificate);
  REQUIRE_FALSE(swapped);
  CHECK(swapped.error().context.ends_with(
    "expected a PEM file with the certificate's key and no passphrase"));
  const auto foreign = open_tls(files.certificate, others.key);
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().context.starts_with(
    "http.tls-key '" + others.key + "' cannot be used (key values mismatch); "));
}

TEST_CASE("a key of another kind than the certificate's is told to be none of "
          "its") {
  const test::tls_files files;
  const test::tls_files others{EVP_RSA_gen(2048)};
  const auto foreign = open_tls(files.certificate, others.key);
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().context
        == "http.tls-key '" + others.key
             + "' is not the key of http.tls-certificate '" + files.certificate
             + "'");
}
