// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.hpp"

#include "tests/support/http_fixture.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace torpor;
using test::http_fixture;
using test::wait_until;

namespace {

std::string get(std::string_view path) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path);
}

std::string post(std::string_view path, std::string_view body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n"
                     "{}",
                     path, body.size(), body);
}

} // namespace

TEST_CASE_FIXTURE(http_fixture, "a connection serves one request after another") {
  auto client = connect();
  for (const auto* const body : {"first", "", "third"}) {
    client.send(post("/echo", body));
    const auto answer = client.read_answer();
    CHECK(answer.status == 200);
    CHECK(answer.body == fmt::format("POST /echo {}", body));
    CHECK_FALSE(answer.has("Connection:"));
  }
}

TEST_CASE_FIXTURE(http_fixture, "every answer has the standard headers") {
  auto client = connect();
  client.send(get("/echo") + get("/parts") + "nonsense\r\n\r\n");
  for (const int status : {200, 200, 400}) {
    const auto answer = client.read_answer();
    CHECK(answer.status == status);
    CHECK(answer.has("\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"));
    CHECK(answer.has("\r\nX-Content-Type-Options: nosniff\r\n"));
    CHECK(answer.has("\r\nCross-Origin-Resource-Policy: cross-origin\r\n"));
    CHECK(answer.has("\r\nAccess-Control-Allow-Origin: *\r\n"));
    CHECK(answer.has("\r\nAccess-Control-Expose-Headers: "));
  }
}

TEST_CASE_FIXTURE(http_fixture, "pipelined requests are answered in order") {
  auto client = connect();
  std::string all;
  for (int i = 0; i < 500; ++i)
    all += post("/echo", std::to_string(i));
  client.send(all);
  for (int i = 0; i < 500; ++i)
    REQUIRE(client.read_answer().body == fmt::format("POST /echo {}", i));
}

TEST_CASE_FIXTURE(http_fixture,
                  "a request is read when the one before is answered") {
  auto client = connect();
  const auto all = get("/later") + post("/echo", "b") + get("/later")
                   + get("/parts") + get("/empty");
  client.send(all);
  until_received(all.size());
  CHECK(log.requests == 1);
  with_handler([](auto& handler) { handler.answer("a"); });
  CHECK(client.read_answer().body == "a");
  CHECK(client.read_answer().body == "POST /echo b");
  wait_until([&] { return log.requests == 3; });
  with_handler([](auto& handler) { handler.answer("c"); });
  CHECK(client.read_answer().body == "c");
  CHECK(client.read_answer().body == "one two three");
  CHECK(client.read_answer().status == 204);
}

TEST_CASE_FIXTURE(http_fixture, "bytes that come one by one make a request") {
  auto client = connect();
  const auto text = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                    "chunked\r\n\r\n3\r\nabc\r\n2;note=1\r\nde\r\n0\r\n\r\n"
                    + get("/echo");
  for (std::size_t i = 0; i < text.size(); ++i) {
    client.send(text.substr(i, 1));
    until_received(i + 1);
  }
  CHECK(client.read_answer().body == "POST /echo abcde");
  CHECK(client.read_answer().body == "GET /echo ");
}

TEST_CASE_FIXTURE(http_fixture, "a body as large as is allowed goes both ways") {
  options.body_bytes_max = 5u << 20;
  auto client = connect();
  const std::string body(5u << 20, 'y');
  client.send(post("/echo", body));
  CHECK(client.read_answer().body == "POST /echo " + body);
  client.send(get("/large"));
  CHECK(client.read_answer().body == std::string(4u << 20, 'x'));
}

TEST_CASE_FIXTURE(http_fixture, "an answer in parts is chunked") {
  auto client = connect();
  client.send(get("/parts"));
  CHECK(client.read_through("\r\n\r\n").find("Transfer-Encoding: chunked")
        != std::string::npos);
  CHECK(client.read_chunk() == "one ");
  CHECK(client.read_chunk() == "two ");
  CHECK(client.read_chunk() == "three");
  CHECK(client.read_chunk() == "");
  client.send(get("/echo"));
  CHECK(client.read_answer().status == 200);
}

TEST_CASE_FIXTURE(http_fixture, "parts reach a client while its answer is open") {
  auto client = connect();
  client.send(get("/events"));
  CHECK(client.read_through("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  for (const auto* const text : {"a", "bb"}) {
    with_handler([&](auto& handler) { handler.write(text); });
    CHECK(client.read_chunk() == text);
  }
  with_handler([](auto& handler) { handler.end_events(); });
  CHECK(client.read_chunk() == "");
  client.send(get("/echo"));
  CHECK(client.read_answer().status == 200);
  CHECK(log.aborts == 0);
}

TEST_CASE_FIXTURE(http_fixture, "HEAD gets the head of an answer alone") {
  auto client = connect();
  const std::string head = "HEAD /{} HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const auto* const path : {"echo", "parts", "large"}) {
    client.send(fmt::format("HEAD /{} HTTP/1.1\r\nHost: x\r\n\r\n", path));
    CHECK(client.read_answer(true).status == 200);
  }
  client.send(get("/echo"));
  CHECK(client.read_answer().body == "GET /echo ");
}

TEST_CASE_FIXTURE(http_fixture, "204 has neither a body nor a length") {
  auto client = connect();
  client.send(post("/empty", "x"));
  const auto answer = client.read_answer();
  CHECK(answer.status == 204);
  CHECK_FALSE(answer.has("Content-Length"));
  CHECK_FALSE(answer.has("Transfer-Encoding"));
}

TEST_CASE_FIXTURE(http_fixture, "HTTP/1.0 ends with its answer, unless asked") {
  auto client = connect();
  client.send("POST /echo HTTP/1.0\r\nConnection: keep-alive\r\n"
              "Content-Length: 1\r\n\r\nx");
  const auto kept = client.read_answer();
  CHECK(kept.body == "POST /echo x");
  CHECK(kept.has("Connection: keep-alive"));
  client.send("GET /echo HTTP/1.0\r\n\r\n");
  const auto last = client.read_answer();
  CHECK(last.body == "GET /echo ");
  CHECK(last.has("Connection: close"));
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(http_fixture, "to HTTP/1.0 an answer in parts ends by closing") {
  auto client = connect();
  client.send("GET /parts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto answer = client.read_answer();
  CHECK_FALSE(answer.has("Transfer-Encoding"));
  CHECK(answer.body == "one two three");
}

TEST_CASE_FIXTURE(http_fixture, "who asks to close gets an answer and the end") {
  auto client = connect();
  client.send("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto answer = client.read_answer();
  CHECK(answer.body == "GET /echo ");
  CHECK(answer.has("Connection: close"));
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(http_fixture, "who expects it is told to go on") {
  auto client = connect();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: "
                           "3\r\nExpect: 100-continue\r\n\r\n";
  client.send(head);
  CHECK(client.read_through("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("a");
  client.send("bc");
  CHECK(client.read_answer().body == "POST /echo abc");
  // Whoever has sent the body needs no leave.
  client.send(head + "def");
  CHECK(client.read_answer().body == "POST /echo def");
}

TEST_CASE_FIXTURE(http_fixture, "a refusal is JSON, and ends the connection") {
  options.body_bytes_max = 1024;
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1025\r\n"
              "Expect: 100-continue\r\n\r\n");
  const auto answer = client.read_answer();
  CHECK(answer.status == 413);
  CHECK(answer.has("Content-Type: application/json\r\n"));
  CHECK(answer.has("Connection: close"));
  CHECK(answer.body
        == "{\"error\":{\"code\":\"too_large\",\"message\":\"the request's "
           "body is larger than http.body-bytes-max\"}}");
  CHECK(client.is_closed());
  CHECK(log.requests == 0);
}

TEST_CASE_FIXTURE(http_fixture, "a refusal reaches a client that goes on sending") {
  options.body_bytes_max = 1024;
  auto client = connect();
  CHECK(client.send(post("/echo", std::string(8u << 20, 'x'))));
  CHECK(client.read_answer().status == 413);
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(http_fixture,
                  "a text that many clients did not take yet is there once") {
  constexpr int count = 8;
  std::vector<test::raw_client> clients;
  std::string path;
  SUBCASE("as a whole answer") { path = "/later"; }
  SUBCASE("as a part") { path = "/events"; }
  for (int i = 0; i < count; ++i) {
    clients.push_back(connect(4096));
    clients.back().send(get(path));
  }
  wait_until([&] { return log.requests == count; });
  const auto text = share(std::string(16u << 20, 'x')); // No socket takes it.
  with_handler([&](auto& handler) {
    for (int i = 0; i < count && path == "/later"; ++i)
      handler.answer(text);
    handler.write(text);
  });
  CHECK(text.use_count() == 1 + count);
  for (auto& client : clients)
    client.close();
  wait_until([&] { return server->connections() == 0; });
  CHECK(text.use_count() == 1);
}

TEST_CASE_FIXTURE(http_fixture, "what was asked before a refusal is answered") {
  auto client = connect();
  client.send(get("/echo") + get("/parts") + "GET /\r\n\r\n");
  CHECK(client.read_answer().status == 200);
  CHECK(client.read_answer().status == 200);
  CHECK(client.read_answer().status == 400);
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(http_fixture, "TLS on a port without it is refused") {
  auto client = connect();
  client.send(std::string_view{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", 10});
  const auto answer = client.read_answer();
  CHECK(answer.status == 400);
  CHECK(answer.body.find("without TLS") != std::string::npos);
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(http_fixture, "a client that goes away ends its open answer") {
  for (const auto* const path : {"/wait", "/events"}) {
    auto client = connect();
    const auto aborts = log.aborts.load();
    const auto requests = log.requests.load();
    client.send(get(path));
    wait_until([&] { return log.requests == requests + 1; });
    client.close();
    wait_until([&] { return log.aborts == aborts + 1; });
    wait_until([&] { return server->connections() == 0; });
  }
}

TEST_CASE_FIXTURE(http_fixture, "a client that resets ends its open answer") {
  for (const auto* const path : {"/wait", "/later-told"}) {
    auto client = connect();
    const auto aborts = log.aborts.load();
    const auto requests = log.requests.load();
    client.send(get(path));
    wait_until([&] { return log.requests == requests + 1; });
    const linger at_once{1, 0};
    ::setsockopt(client.number(), SOL_SOCKET, SO_LINGER, &at_once,
                 sizeof at_once);
    client.close();
    wait_until([&] { return log.aborts == aborts + 1; });
  }
}

TEST_CASE_FIXTURE(http_fixture, "pipelined bytes are no abort, their end is") {
  auto client = connect();
  const auto all = get("/events") + get("/echo") + get("/echo");
  client.send(all);
  until_received(all.size());
  with_handler([](auto& handler) { handler.write("still there"); });
  CHECK(client.read_through("still there\r\n") != "");
  CHECK(log.aborts == 0);
  client.close();
  wait_until([&] { return log.aborts == 1; });
  CHECK(log.requests == 1);
}

TEST_CASE_FIXTURE(http_fixture,
                  "a client that sends ahead without end is not read any more") {
  options.header_bytes_max = 1024;
  auto client = connect();
  client.send(get("/later"));
  wait_until([&] { return log.requests == 1; });
  std::string ahead;
  while (ahead.size() < 600'000)
    ahead += post("/echo", "x");
  std::thread sender{[&] { client.send(ahead); }};
  // One read may bring as much as the loop's buffer holds.
  until_received(1024);
  on_loops([](std::size_t) {});
  CHECK(server->traffic().received_bytes < 200'000);
  with_handler([](auto& handler) { handler.answer("now"); });
  CHECK(client.read_answer().body == "now");
  std::size_t answers = 0;
  for (const auto each = post("/echo", "x").size(); answers < ahead.size() / each;
       ++answers)
    REQUIRE(client.read_answer().body == "POST /echo x");
  sender.join();
}

TEST_CASE_FIXTURE(http_fixture, "who ends his side still gets what he asked for") {
  auto client = connect();
  client.send(get("/later") + get("/echo") + get("/later-told"));
  client.end_writing();
  wait_until([&] { return log.requests == 1; });
  with_handler([](auto& handler) { handler.answer("a"); });
  CHECK(client.read_answer().body == "a");
  CHECK(client.read_answer().body == "GET /echo ");
  wait_until([&] { return log.requests == 3; });
  with_handler([](auto& handler) { handler.answer("c"); });
  CHECK(client.read_answer().body == "c");
  CHECK(client.is_closed());
  CHECK(log.aborts == 0);
}

TEST_CASE_FIXTURE(http_fixture, "who waits to be told gets his answer, also when "
                                "his end comes first") {
  auto client = connect();
  client.send(get("/later-told"));
  wait_until([&] { return log.requests == 1; });
  client.end_writing();
  // Nothing tells that the end was seen; the next one's is, behind it.
  auto other = connect();
  other.send(get("/wait"));
  other.end_writing();
  wait_until([&] { return log.aborts == 1; });
  with_handler([](auto& handler) { handler.answer("a"); });
  CHECK(client.read_answer().body == "a");
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(http_fixture,
                  "an end that comes with an answer does not lose the next one") {
  auto client = connect();
  const auto all = get("/later") + get("/echo");
  client.send(all);
  until_received(all.size());
  // While the loop is held up, the end arrives, and behind it the answer.
  std::promise<void> go;
  server->loop(0).post([&] { go.get_future().wait(); });
  client.end_writing();
  server->loop(0).post([&] { handlers[0]->answer("a"); });
  go.set_value();
  CHECK(client.read_answer().body == "a");
  CHECK(client.read_answer().body == "GET /echo ");
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(http_fixture,
                  "an exchange that was given up takes its answer all the same") {
  auto client = connect();
  client.send(get("/later"));
  wait_until([&] { return log.requests == 1; });
  const linger at_once{1, 0};
  ::setsockopt(client.number(), SOL_SOCKET, SO_LINGER, &at_once,
               sizeof at_once);
  client.close();
  on_loops([](std::size_t) {});
  with_handler([](auto& handler) { handler.answer("too late"); });
  wait_until([&] { return server->connections() == 0; });
}

TEST_CASE_FIXTURE(http_fixture, "half a request and the end is no request") {
  for (const auto* const half : {"", "GET /echo HT", "POST /echo HTTP/1.1\r\n"
                                 "Host: x\r\nContent-Length: 3\r\n\r\nab"}) {
    auto client = connect();
    client.send(half);
    client.end_writing();
    CHECK(client.is_closed());
  }
  CHECK(log.requests == 0);
}

TEST_CASE_FIXTURE(http_fixture, "a Unix socket serves as a port does") {
  const test::scratch_directory scratch;
  options.socket = scratch.path() + "/door";
  start();
  test::raw_client client{options.socket};
  client.send(get("/echo"));
  CHECK(client.read_answer().body == "GET /echo ");
  auto other = connect();
  other.send(get("/parts"));
  CHECK(other.read_answer().body == "one two three");
}

TEST_CASE_FIXTURE(http_fixture, "connections are spread over the loops in turn") {
  options.threads = 3;
  std::vector<test::raw_client> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(connect());
    clients.back().send(get("/later"));
    wait_until([&] { return log.requests == i + 1; });
  }
  // Each loop has two.
  for (int i = 0; i < 2; ++i)
    with_handler([](auto& handler) { handler.answer("x"); });
  for (auto& client : clients)
    CHECK(client.read_answer().body == "x");
}

TEST_CASE_FIXTURE(http_fixture, "IPv6 is spoken where there is any") {
  options.address = "::1";
  const auto probe = listen_tcp("::1", 0);
  if (!probe) {
    MESSAGE("no IPv6 on this machine: " << probe.error().context);
    return;
  }
  start();
  CHECK(server->port() != 0);
}
