// SPDX-License-Identifier: Apache-2.0
#include "server/http_router.hpp"

#include "server/http_error.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/manual_clock.hpp"

#include <boost/beast/http/write.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace torpor {

namespace {

using boost::beast::http::status;
using boost::beast::http::verb;
using test::fake_exchange;

/// Answers 204, or as it is told.
class fake_protocol final : public http_handler {
public:
  void handle(http_exchange& exchange) override {
    ++asked;
    if (then)
      return then(exchange);
    exchange.respond({status::no_content, 11});
  }

  int asked = 0;
  std::function<void(http_exchange&)> then;
};

std::string line(std::string_view token, std::string_view rights) {
  return fmt::format("{} {}\n", rights, to_text(sha256(token)));
}

struct fixture {
  test::manual_clock time;
  io_loop loop{time};
  test::fake_store store;
  http_metrics metrics;
  server_status status{store, metrics};
  std::unique_ptr<access_control> access;
  std::unique_ptr<http_door> door;
  std::unique_ptr<http_router> router;
  fake_protocol* protocol = nullptr;

  void start(const std::string& tokens = {}, rate_limits limits = {}) {
    if (!tokens.empty())
      access = std::make_unique<access_control>(
        "tokens", *access_list::parse(tokens));
    door.reset(new http_door{access.get(), rate_limiter{limits}, metrics,
                             status});
    auto made = std::make_unique<fake_protocol>();
    protocol = made.get();
    router = std::make_unique<http_router>(*door, std::move(made));
  }

  void handle(fake_exchange& asked) {
    router->handle(asked);
    loop.context().poll();
    loop.context().restart();
  }

  fake_exchange ask(verb method, const std::string& target,
                    std::string_view token = {}, std::string_view source = {}) {
    test::fields fields;
    if (!token.empty())
      fields.emplace_back("Authorization", fmt::format("Bearer {}", token));
    if (!source.empty())
      fields.emplace_back("Stream-Forked-From", source);
    fake_exchange asked{loop, method, target, fields};
    handle(asked);
    return asked;
  }

  unsigned code(verb method, const std::string& target,
                std::string_view token = {}, std::string_view source = {}) {
    return ask(method, target, token, source).status();
  }
};

} // namespace

TEST_SUITE_BEGIN("http_router");

TEST_CASE_FIXTURE(fixture, "without tokens everybody may do all") {
  start();
  for (const auto method : {verb::get, verb::put, verb::post, verb::delete_,
                            verb::head, verb::options, verb::patch})
    CHECK(code(method, "/v1/stream/a") == 204);
  for (const auto* const page : {"/metrics", "/v1/stats", "/v1/streams"})
    CHECK(code(verb::get, page) == 200);
}

TEST_CASE_FIXTURE(fixture, "each method needs its verb, for the stream") {
  start(line("r", "read a/") + line("w", "append a/") + line("d", "admin a/")
        + line("all", "append,read,admin *"));
  const std::pair<verb, std::string> methods[] = {
    {verb::get, "r"},  {verb::head, "r"},    {verb::put, "w"},
    {verb::post, "w"}, {verb::delete_, "d"}, {verb::patch, "d"}};
  for (const auto& [method, right] : methods) {
    INFO(std::string{boost::beast::http::to_string(method)});
    for (const std::string token : {"r", "w", "d"}) {
      CHECK(code(method, "/v1/stream/a/1", token)
            == (token == right ? 204 : 403));
      CHECK(code(method, "/v1/stream/b/1", token) == 404);
    }
    CHECK(code(method, "/v1/stream/b/1", "all") == 204);
    CHECK(code(method, "/v1/stream/a/1", "wrong") == 401);
    CHECK(code(method, "/v1/stream/a/1") == 401);
  }
}

TEST_CASE_FIXTURE(fixture, "who has no token is told how to send one, and "
                           "nothing else") {
  start(line("t", "read *"));
  const auto one = ask(verb::get, "/v1/stream/a");
  CHECK(one.field("WWW-Authenticate") == "Bearer realm=\"torpor\"");
  const auto two = ask(verb::get, "/v1/stream/%zz", "wrong");
  CHECK(two.status() == 401);
  CHECK(one.body() == two.body());
  CHECK(protocol->asked == 0);
}

TEST_CASE_FIXTURE(fixture, "a stream of others is answered as one that does "
                           "not exist") {
  start(line("t", "append,read a/"));
  const auto hidden = ask(verb::get, "/v1/stream/b%2Fx?offset=-1", "t");
  protocol->then = [](http_exchange& exchange) {
    exchange.respond(no_such_stream("b/x"));
  };
  start(line("t", "append,read *"));
  protocol->then = [](http_exchange& exchange) {
    exchange.respond(no_such_stream("b/x"));
  };
  const auto missing = ask(verb::get, "/v1/stream/b%2Fx?offset=-1", "t");
  std::ostringstream hidden_text, missing_text;
  hidden_text << hidden.answer->base() << hidden.body();
  missing_text << missing.answer->base() << missing.body();
  CHECK(hidden_text.str() == missing_text.str());
  CHECK(hidden.status() == 404);
}

TEST_CASE_FIXTURE(fixture, "rights hold for the decoded name, however it is "
                           "written") {
  start(line("t", "read acme/"));
  CHECK(code(verb::get, "/v1/stream/acme/x", "t") == 204);
  CHECK(code(verb::get, "/v1/stream/%61cme%2fx", "t") == 204);
  CHECK(code(verb::get, "/v1/stream/acme?x=/acme/", "t") == 404);
  CHECK(code(verb::get, "/v1/stream/zoo/acme/", "t") == 404);
  // What is no name is for the protocol to refuse.
  for (const auto* const target :
       {"/v1/stream/acme/../zoo", "/v1/stream/acme/%2e%2e/zoo", "/v1/stream/",
        "/v1/stream/acme%00"}) {
    const auto before = protocol->asked;
    CHECK(code(verb::get, target, "t") == 204);
    CHECK(protocol->asked == before + 1);
  }
}

TEST_CASE_FIXTURE(fixture, "a fork needs the right to read its source") {
  start(line("t", "append,read a/") + line("t", "append c/"));
  CHECK(code(verb::put, "/v1/stream/a/2", "t", "/v1/stream/a/1") == 204);
  const auto hidden = ask(verb::put, "/v1/stream/a/2", "t", "/v1/stream/b/1");
  CHECK(hidden.status() == 404);
  CHECK(hidden.body() == *no_such_stream("b/1").body());
  CHECK(code(verb::put, "/v1/stream/a/2", "t", "/v1/stream/%62/1") == 404);
  CHECK(code(verb::put, "/v1/stream/a/2", "t", "/v1/stream/c/1") == 403);
  // Two of them: neither may be overlooked.
  fake_exchange two{loop, verb::put, "/v1/stream/a/2",
                    {{"Authorization", "Bearer t"},
                     {"Stream-Forked-From", "/v1/stream/a/1"},
                     {"stream-forked-from", "/v1/stream/b/1"}}};
  handle(two);
  CHECK(two.status() == 404);
}

TEST_CASE_FIXTURE(fixture, "pages about the server need admin of all streams, "
                           "those about streams the right to read them") {
  start(line("admin", "admin *") + line("part", "admin,read acme/")
        + line("read", "read *"));
  for (const auto* const page : {"/metrics", "/v1/stats"}) {
    CHECK(code(verb::get, page, "admin") == 200);
    CHECK(code(verb::get, page, "part") == 403);
    CHECK(code(verb::get, page, "read") == 403);
    CHECK(code(verb::get, page) == 401);
  }
  CHECK(code(verb::get, "/v1/streams", "read") == 200);
  CHECK(code(verb::get, "/v1/streams", "part") == 403);
  CHECK(code(verb::get, "/v1/streams?prefix=acme/x", "part") == 200);
  CHECK(code(verb::get, "/v1/streams?prefix=acme", "part") == 403);
  store.streams["acme/x"].name = "acme/x";
  store.streams["zoo/x"].name = "zoo/x";
  CHECK(code(verb::get, "/v1/streams/acme/x", "part") == 200);
  const auto hidden = ask(verb::get, "/v1/streams/zoo/x", "part");
  const auto missing = ask(verb::get, "/v1/streams/zoo/y", "read");
  CHECK(hidden.status() == 404);
  CHECK(missing.status() == 404);
  CHECK(hidden.body() == *no_such_stream("zoo/x").body());
  CHECK(missing.body() == *no_such_stream("zoo/y").body());
}

TEST_CASE_FIXTURE(fixture, "probes, the bare page and preflights need no "
                           "token") {
  start(line("t", "read a/"));
  for (const auto* const page : {"/healthz", "/readyz", "/ui"})
    CHECK(code(verb::get, page) == 200);
  CHECK(code(verb::options, "/v1/stream/a") == 204);
  CHECK(code(verb::options, "/v1/stats") == 204);
}

TEST_CASE_FIXTURE(fixture, "who has no right is refused before the body, word "
                           "for word as behind it") {
  start(line("t", "append a/") + line("t", "read b/"));
  const auto text = [](const fake_exchange& asked) {
    std::ostringstream all;
    all << asked.answer->base() << asked.body();
    return all.str();
  };
  for (const auto& [target, token, source, code] :
       {std::tuple{"/v1/stream/a/1", "wrong", "", 401u},
        std::tuple{"/v1/stream/a%zz", "wrong", "", 401u},
        std::tuple{"/v1/stream/b/1", "t", "", 403u},
        std::tuple{"/v1/stream/c/1", "t", "", 404u},
        std::tuple{"/v1/stream/a/1", "t", "/v1/stream/c/1", 404u},
        std::tuple{"/v1/stats", "t", "", 403u},
        std::tuple{"/v1/stats", "wrong", "", 401u}}) {
    INFO(target);
    const test::fields fields{
      {"Authorization", fmt::format("Bearer {}", token)},
      {"Stream-Forked-From", source}};
    fake_exchange before{loop, verb::put, target, fields};
    CHECK_FALSE(router->wants_body(before));
    fake_exchange behind{loop, verb::put, target, fields, "body"};
    handle(behind);
    CHECK(before.status() == code);
    CHECK(text(before) == text(behind));
  }
  CHECK(protocol->asked == 0);
  CHECK(metrics.total().of_class(4) == 14);
}

TEST_CASE_FIXTURE(fixture, "only streams want a body, of who may have them") {
  const auto wants = [&](verb method, const std::string& target) {
    fake_exchange asked{loop, method, target, {{"Authorization", "Bearer t"}}};
    const auto wanted = router->wants_body(asked);
    CHECK(wanted != asked.answer.has_value());
    return wanted;
  };
  for (const auto& tokens : {std::string{}, line("t", "append,read *")}) {
    start(tokens);
    CHECK(wants(verb::post, "/v1/stream/a"));
    CHECK(wants(verb::put, "/v1/stream/a"));
    CHECK(wants(verb::post, "/v1/stream/..")); // The protocol's to refuse.
    CHECK(protocol->asked == 0);
    for (const auto* const page : {"/healthz", "/ui", "/v1/streams", "/x"})
      CHECK_FALSE(wants(verb::post, page));
    CHECK_FALSE(wants(verb::options, "/v1/stream/a"));
  }
}

TEST_CASE_FIXTURE(fixture, "a tenant over its rate is told when to come back") {
  start({}, {.requests = 1});
  CHECK(code(verb::post, "/v1/stream/a/1") == 204);
  const auto over = ask(verb::get, "/v1/stream/%61/2");
  CHECK(over.status() == 429);
  CHECK(over.field("Retry-After") == "1");
  CHECK(over.body().find("\"rate_limited\"") != over.body().npos);
  CHECK(code(verb::get, "/v1/stream/b/2") == 204);
  CHECK(code(verb::get, "/healthz") == 200);
  time.monotonic += 1000;
  CHECK(code(verb::get, "/v1/stream/a/2") == 204);
}

TEST_CASE_FIXTURE(fixture, "bodies both ways are taken off a tenant's bytes") {
  start({}, {.bytes = 100});
  fake_exchange post{loop, verb::post, "/v1/stream/a", {},
                     std::string(100, 'x')};
  handle(post);
  CHECK(post.status() == 204);
  fake_exchange more{loop, verb::post, "/v1/stream/a", {}, "x"};
  handle(more);
  CHECK(more.status() == 429);
  time.monotonic += 1000;
  protocol->then = [](http_exchange& exchange) {
    exchange.begin({status::ok, 11});
    exchange.write(share(std::string(290, 'x')), "0123456789");
    exchange.end();
  };
  CHECK(ask(verb::get, "/v1/stream/a").text.size() == 300);
  CHECK(ask(verb::get, "/v1/stream/a").field("Retry-After") == "2");
}

TEST_CASE_FIXTURE(fixture, "who has no right does not use up a tenant's rate") {
  start(line("t", "read *"), {.requests = 1});
  for (int i = 0; i < 10; ++i)
    CHECK(code(verb::get, "/v1/stream/a", "wrong") == 401);
  CHECK(code(verb::get, "/v1/stream/a", "t") == 204);
}

TEST_CASE_FIXTURE(fixture, "requests, bytes, errors and latencies are "
                           "counted") {
  start();
  fake_exchange post{loop, verb::post, "/v1/stream/a", {}, "12345"};
  handle(post);
  protocol->then = [](http_exchange& exchange) {
    http_response page{status::ok, 11};
    page.body() = share("1234567");
    exchange.respond(std::move(page));
  };
  CHECK(code(verb::get, "/v1/stream/a?offset=-1") == 200);
  CHECK(code(verb::head, "/v1/stream/a") == 200);
  protocol->then = [](http_exchange& exchange) {
    exchange.respond(error_response(status::conflict, "closed", "closed"));
  };
  CHECK(code(verb::post, "/v1/stream/a") == 409);
  CHECK(code(verb::get, "/v1/stream/a") == 409);
  CHECK(code(verb::get, "/nothing") == 404);
  const auto total = metrics.total();
  CHECK(total.of_class(2) == 3);
  CHECK(total.of_class(4) == 3);
  CHECK(total.requests[method_index(verb::post)][3] == 1);
  CHECK(total.errors.at("closed") == 2);
  CHECK(total.errors.at("not_found") == 1);
  CHECK(total.bytes_read == 7);
  CHECK(total.writes.count() == 1);
  CHECK(total.reads.count() == 2);
}

TEST_CASE_FIXTURE(fixture, "what a connection refuses by itself counts, too") {
  start("");
  router->refused(error_response(status::request_timeout, "timeout", "slow"));
  const auto total = metrics.total();
  CHECK(total.of_class(4) == 1);
  CHECK(total.errors.at("timeout") == 1);
}

TEST_CASE_FIXTURE(fixture, "live readers count while they are there") {
  start();
  std::vector<http_exchange*> open;
  int gone = 0;
  protocol->then = [&](http_exchange& exchange) {
    open.push_back(&exchange);
    exchange.on_abort(answer_wait::endless, [&] { ++gone; });
  };
  fake_exchange sse{loop, verb::get, "/v1/stream/a?offset=now&live=sse"};
  fake_exchange poll{loop, verb::get, "/v1/stream/a?live=long-poll&offset=1"};
  fake_exchange other{loop, verb::get, "/v1/stream/a?alive=no"};
  handle(sse);
  handle(poll);
  handle(other);
  CHECK(metrics.total().live_readers == 2);
  open[0]->begin({status::ok, 11});
  open[0]->write(share("data: 1\n\n"), {});
  CHECK(metrics.total().live_readers == 2);
  CHECK(metrics.total().bytes_read == 9);
  open[0]->end();
  CHECK(sse.ended);
  CHECK(metrics.total().live_readers == 1);
  poll.abort();
  CHECK(gone == 1);
  CHECK(metrics.total().live_readers == 0);
  open[2]->respond({status::ok, 11});
  const auto total = metrics.total();
  CHECK(total.of_class(2) == 2); // Who went away had no answer.
  CHECK(total.reads.count() == 1);
}

TEST_CASE_FIXTURE(fixture, "logs have no query, no body and no token") {
  std::ostringstream text;
  auto before = spdlog::default_logger();
  auto log = std::make_shared<spdlog::logger>(
    "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
  log->set_level(spdlog::level::trace);
  spdlog::set_default_logger(log);
  start(line("tokentoken", "append a/"));
  fake_exchange post{loop, verb::post, "/v1/stream/a/%22%0ax?q=query",
                     {{"Authorization", "Bearer tokentoken"}}, "payload"};
  handle(post);
  CHECK(code(verb::get, "/v1/stream/a/?q=query", "tokenwrong") == 401);
  spdlog::set_default_logger(before);
  log->flush();
  CHECK(text.str().find("http-request method=POST path=\"/v1/stream/a/%22%0ax\""
                        " status=204 us=")
        != std::string::npos);
  CHECK(text.str().find("status=401") != std::string::npos);
  for (const auto* const secret : {"token", "query", "payload"})
    CHECK(text.str().find(secret) == std::string::npos);
}

TEST_SUITE_END();

} // namespace torpor
