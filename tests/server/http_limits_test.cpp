// SPDX-License-Identifier: Apache-2.0
// Time-outs, slow clients, too many of them, and the stop.
#include "server/http_server.hpp"

#include "tests/support/http_fixture.hpp"

#include <doctest/doctest.h>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

using namespace torpor;
using namespace std::chrono_literals;
using test::http_fixture;
using test::wait_until;

namespace {

constexpr std::string_view get_echo = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n";

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

/// The header of a POST with a body of so many bytes.
std::string post(const std::string& path, std::size_t bytes,
                 const std::string& more = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
         + std::to_string(bytes) + "\r\n" + more + "\r\n";
}

/// Keeps what is logged while it lives.
class kept_log {
public:
  kept_log() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~kept_log() { spdlog::set_default_logger(before_); }

  /// How often something stands there.
  [[nodiscard]] int count(std::string_view wanted) const {
    const auto text = text_.str();
    int found = 0;
    for (auto at = text.find(wanted); at != text.npos;
         at = text.find(wanted, at + 1))
      ++found;
    return found;
  }

private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

/// Lowers the limit of open files, for as long as it lives.
class few_files {
public:
  explicit few_files(rlim_t most) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    set({most, before_.rlim_max});
  }
  ~few_files() { set(before_); }

private:
  static void set(const rlimit& limit) {
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  rlimit before_{};
};

} // namespace

TEST_CASE_FIXTURE(http_fixture, "half a header and silence is answered with 408") {
  auto client = connect();
  client.send("GET /echo HTTP/1.1\r\nHo");
  until_received(22);
  turn(options.header_timeout - 1ms);
  client.send("st: x\r\n"); // More of it does not put it off.
  until_received(29);
  CHECK(server->connections() == 1);
  turn(1ms);
  const auto answer = client.read_answer();
  CHECK(answer.status == 408);
  CHECK(answer.body.find("\"code\":\"timeout\"") != std::string::npos);
  CHECK(client.is_closed());
}

TEST_CASE_FIXTURE(http_fixture, "answers before it do not put half a header off") {
  auto client = connect();
  const auto all = get("/echo") + get("/echo") + "GET /ec";
  client.send(all);
  until_received(all.size());
  CHECK(client.read_answer().status == 200);
  CHECK(client.read_answer().status == 200);
  turn(options.header_timeout);
  CHECK(client.read_answer().status == 408);
}

TEST_CASE_FIXTURE(http_fixture, "half a body and silence is answered with 408") {
  auto client = connect();
  const std::string half = "POST /echo HTTP/1.1\r\nHost: x\r\n"
                           "Content-Length: 10\r\n\r\nabc";
  client.send(half);
  until_received(half.size());
  turn(options.body_timeout - 1ms);
  client.send("def");
  until_received(half.size() + 3);
  CHECK(server->connections() == 1);
  turn(1ms);
  CHECK(client.read_answer().status == 408);
  CHECK(client.is_closed());
  CHECK(log.requests == 0);
}

TEST_CASE_FIXTURE(http_fixture, "who is refused need not send the body, and is "
                                "not asked for it") {
  for (const auto* const expect : {"", "Expect: 100-continue\r\n"}) {
    auto client = connect();
    client.send(post("/refuse", options.body_bytes_max, expect));
    const auto answer = client.read_answer();
    CHECK(answer.status == 403);
    CHECK(answer.has("Connection: close"));
    client.send("what is sent all the same is no request");
    CHECK(client.is_closed());
  }
  CHECK(log.requests == 0);
}

TEST_CASE_FIXTURE(http_fixture, "a body that is refused is not kept, whatever "
                                "comes of it") {
  auto client = connect();
  client.send(get("/echo") + post("/refuse", 10) + "012345678");
  CHECK(client.read_answer().status == 200);
  CHECK(client.read_answer().status == 403);
  client.send("9" + get("/echo"));
  CHECK(client.is_closed());
  CHECK(log.requests == 1);
}

TEST_CASE_FIXTURE(http_fixture, "bodies that are coming have a bound together") {
  options.bodies_bytes_max = 32u << 20;
  const std::string most(options.body_bytes_max - 1, 'x');
  const auto header = post("/echo", options.body_bytes_max);
  auto first = connect();
  auto second = connect();
  first.send(header + most);
  second.send(header + most);
  auto received = 2 * (header.size() + most.size());
  until_received(received);
  const auto tries = [&](std::size_t bytes) {
    auto third = connect();
    third.send(post("/echo", bytes) + std::string(bytes - 1, 'x'));
    received += post("/echo", bytes).size() + bytes - 1;
    until_received(received);
    third.send("x");
    received += 1;
    return third.read_answer();
  };
  const auto refused = tries(10'000);
  CHECK(refused.status == 503);
  CHECK(refused.has("Retry-After: 1\r\n"));
  CHECK(refused.has("Connection: close"));
  CHECK(refused.body.find("\"code\":\"overloaded\"") != std::string::npos);
  CHECK(tries(100).status == 200); // A small one costs less than it would help.
  // What was answered, or has gone, makes room.
  SUBCASE("until one is answered") {
    first.send("x");
    CHECK(first.read_answer().status == 200);
  }
  SUBCASE("until one goes away") {
    first.close();
    wait_until([&] { return server->connections() == 1; });
  }
  received = server->traffic().received_bytes;
  CHECK(tries(10'000).status == 200);
}

TEST_CASE_FIXTURE(http_fixture, "a connection with nothing asked is closed") {
  auto silent = connect();
  auto asked = connect();
  wait_until([&] { return server->connections() == 2; });
  turn(options.idle_timeout - 1ms);
  asked.send(get_echo);
  CHECK(asked.read_answer().status == 200);
  turn(1ms);
  CHECK(silent.is_closed());
  asked.send(get_echo);
  CHECK(asked.read_answer().status == 200);
  turn(options.idle_timeout - 1ms);
  wait_until([&] { return server->connections() == 1; });
  turn(1ms);
  CHECK(asked.is_closed());
}

TEST_CASE_FIXTURE(http_fixture, "an open answer has no deadline") {
  auto client = connect();
  client.send(get("/later"));
  wait_until([&] { return log.requests == 1; });
  auto events = connect();
  events.send(get("/events"));
  CHECK(events.read_through("\r\n\r\n") != "");
  turn(24h);
  with_handler([](auto& handler) {
    handler.answer("late");
    handler.write("late");
  });
  CHECK(client.read_answer().body == "late");
  CHECK(events.read_chunk() == "late");
  CHECK(log.aborts == 0);
}

TEST_CASE_FIXTURE(http_fixture, "a client that takes nothing is dropped") {
  for (const auto* const path : {"/large", "/flood"}) {
    const auto aborts = log.aborts.load();
    const auto requests = log.requests.load();
    auto client = connect(4096);
    client.send(get(path));
    wait_until([&] { return log.requests == requests + 1; });
    on_loops([](std::size_t) {});
    turn(options.write_timeout - 1ms);
    CHECK(server->connections() == 1);
    // What the system takes late puts it off.
    wait_until([&] {
      turn(options.write_timeout);
      return server->connections() == 0;
    });
    CHECK(log.aborts == aborts + (path == std::string_view{"/flood"}));
    CHECK(client.read_to_end().size() < 8u << 20);
  }
}

TEST_CASE_FIXTURE(http_fixture, "a client that takes nothing and asks on is "
                                "dropped") {
  std::string begun;
  std::string rest;
  SUBCASE("in a header") {
    begun = "GET /echo HT";
    rest = "TP/1.1\r\nHost: x\r\n\r\n";
  }
  SUBCASE("in a body") {
    begun = post("/echo", 2) + "x";
    rest = "x";
  }
  if (begun.empty())
    return;
  auto client = connect(4096);
  const auto batch = rest + post("/echo", 8'000) + std::string(8'000, 'x')
                     + begun;
  client.send(begun);
  auto received = begun.size();
  std::uint64_t sent = 1; // Until the system takes no more of what is answered.
  while (sent != server->traffic().sent_bytes) {
    sent = server->traffic().sent_bytes;
    client.send(batch);
    received += batch.size();
    until_received(received);
  }
  turn(std::max(options.header_timeout, options.body_timeout));
  CHECK(server->connections() == 1);
  turn(options.write_timeout);
  wait_until([&] { return server->connections() == 0; });
}

TEST_CASE_FIXTURE(http_fixture, "a client that takes a little is not dropped") {
  auto client = connect(4096);
  client.send(get("/large"));
  std::uint64_t sent = 0;
  while (client.take_some() < 4u << 20)
    if (server->traffic().sent_bytes != sent) {
      turn(options.write_timeout - 1ms);
      sent = server->traffic().sent_bytes; // More comes after the turn.
    }
  CHECK(server->connections() == 1);
}

TEST_CASE_FIXTURE(http_fixture, "a writer waits until its client has taken all") {
  auto client = connect(4096);
  client.send(get("/flood"));
  CHECK(client.read_through("\r\n\r\n") != "");
  wait_until([&] { return log.unsent_bytes > 0; });
  on_loops([](std::size_t) {});
  const auto drains = log.drains.load();
  CHECK(log.unsent_bytes <= (1u << 20) + 16);
  for (int i = 0; i < drains + 3; ++i)
    CHECK(client.read_chunk().size() == 1u << 20);
  CHECK(log.drains >= drains + 1);
}

TEST_CASE_FIXTURE(http_fixture, "a connection over the limit gets 503") {
  options.connections_max = 2;
  auto first = connect();
  auto second = connect();
  wait_until([&] { return server->connections() == 2; });
  auto third = connect();
  const auto answer = third.read_answer();
  CHECK(answer.status == 503);
  CHECK(answer.has("Retry-After: 1\r\n"));
  CHECK(answer.body.find("\"code\":\"overloaded\"") != std::string::npos);
  CHECK(third.is_closed());
  first.close();
  wait_until([&] { return server->connections() == 1; });
  auto fourth = connect();
  fourth.send(get_echo);
  CHECK(fourth.read_answer().status == 200);
}

TEST_CASE_FIXTURE(http_fixture, "who comes again and again at the limit is "
                                "logged once a second") {
  const kept_log text;
  options.connections_max = 1;
  for (int i = 0; i < 3; ++i) {
    auto first = connect();
    wait_until([&] { return server->connections() == 1; });
    CHECK(connect().read_answer().status == 503);
    first.close();
    wait_until([&] { return server->connections() == 0; });
  }
  CHECK(text.count("connections-refused connections-max=1") == 1);
  turn(1s);
  auto first = connect();
  CHECK(connect().read_answer().status == 503);
  CHECK(text.count("connections-refused") == 2);
  server->stop();
}

TEST_CASE_FIXTURE(http_fixture, "many that say nothing do not hold others up") {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  const auto many = std::min<rlim_t>(10'000, (files.rlim_cur - 200) / 2);
  std::vector<test::raw_client> silent;
  for (rlim_t i = 0; i < many; ++i)
    silent.push_back(connect());
  wait_until([&] { return server->connections() == many; });
  auto client = connect();
  client.send(get_echo);
  CHECK(client.read_answer().status == 200);
  turn(options.idle_timeout - 1ms);
  client.send(get_echo);
  CHECK(client.read_answer().status == 200);
  turn(1ms);
  wait_until([&] { return server->connections() == 1; });
}

TEST_CASE_FIXTURE(http_fixture, "a process without descriptors goes on later") {
  auto first = connect();
  first.send(get_echo);
  CHECK(first.read_answer().status == 200);
  std::vector<test::raw_client> waiting;
  {
    // The client's own end takes the last one.
    const int next = ::dup(0);
    ::close(next);
    const few_files limit{static_cast<rlim_t>(next) + 1};
    waiting.push_back(connect());
    waiting.front().send(get_echo);
    first.send(get_echo);
    CHECK(first.read_answer().status == 200);
  }
  // It does not ask again and again: it waits for its time.
  for (int i = 0; i < 10; ++i)
    on_loops([](std::size_t) {});
  CHECK(server->connections() == 1);
  turn(100ms);
  CHECK(waiting.front().read_answer().status == 200);
}

TEST_CASE_FIXTURE(http_fixture, "a stop sends away who waits, and who listens") {
  auto idle = connect();
  idle.send(get_echo);
  CHECK(idle.read_answer().status == 200);
  auto silent = connect();
  auto polls = connect();
  polls.send(get("/wait"));
  auto events = connect();
  events.send(get("/events"));
  CHECK(events.read_through("\r\n\r\n") != "");
  wait_until([&] { return log.requests == 3; });
  wait_until([&] { return server->connections() == 4; });
  std::thread stopping{[&] { server->stop(); }};
  CHECK(idle.is_closed());
  CHECK(silent.is_closed());
  const auto told = polls.read_answer();
  CHECK(told.status == 503);
  CHECK(told.has("Retry-After: 1\r\n"));
  CHECK(told.body.find("\"code\":\"shut_down\"") != std::string::npos);
  CHECK(polls.is_closed());
  CHECK(events.read_through("0\r\n\r\n") == "0\r\n\r\n"); // All came.
  CHECK(events.is_closed());
  polls.close();
  events.close();
  stopping.join();
  CHECK(server->connections() == 0);
  CHECK(log.aborts == 2);
  CHECK(log.refusals == 1);
}

TEST_CASE_FIXTURE(http_fixture, "handlers hear of what was refused before them") {
  auto client = connect();
  client.send("garbage\r\n\r\n");
  CHECK(client.read_answer().status == 400);
  CHECK(log.refusals == 1);
  CHECK(log.requests == 0);
}

TEST_CASE_FIXTURE(http_fixture, "a stop waits for what is being answered") {
  std::string path;
  SUBCASE("without a word") { path = "/later"; }
  SUBCASE("by who wants to be told") { path = "/later-told"; }
  auto client = connect();
  client.send(get(path) + get("/echo"));
  auto idle = connect();
  wait_until([&] {
    return log.requests == 1 && server->connections() == 2;
  });
  const auto port = server->port();
  std::thread stopping{[&] { server->stop(); }};
  CHECK(idle.is_closed());
  CHECK(listen_tcp("127.0.0.1", port)); // Nobody else listens any more.
  with_handler([](auto& handler) { handler.answer("done"); });
  const auto answer = client.read_answer();
  CHECK(answer.body == "done");
  CHECK(answer.has("Connection: close"));
  CHECK(client.is_closed());
  client.close();
  stopping.join();
  CHECK(server->connections() == 0);
}

TEST_CASE_FIXTURE(http_fixture, "a stop does not wait longer than it was told to") {
  options.stop_timeout = 5s;
  auto client = connect();
  client.send(get("/later"));
  auto deaf = connect();
  deaf.send(get("/wait-deaf"));
  auto half = connect();
  half.send("GET /ec");
  wait_until([&] { return log.requests == 2; });
  until_received(2 * get_echo.size() + 13);
  auto idle = connect();
  wait_until([&] { return server->connections() == 4; });
  std::thread stopping{[&] { server->stop(); }};
  wait_until([&] { return server->connections() == 3; });
  CHECK(idle.is_closed());
  turn(5s - 1ms);
  CHECK(server->connections() == 3);
  time.monotonic += 1;
  server->loop(0).post([&] { server->loop(0).call_due(); });
  stopping.join();
  CHECK(client.is_closed());
  CHECK(deaf.is_closed());
  CHECK(half.is_closed());
}

TEST_CASE_FIXTURE(http_fixture, "what is posted after the stop is dropped") {
  start();
  server->stop();
  server->loop(0).post([] { FAIL("a task ran"); });
  server->stop();
}
