// SPDX-License-Identifier: Apache-2.0
#include "server/operations.hpp"

#include "tests/support/fake_exchange.hpp"
#include "tests/support/fake_store.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

namespace torpor {

namespace {

using boost::beast::http::verb;

struct fixture {
  io_loop loop;
  test::fake_store store;
  http_metrics metrics;
  server_status status{store, metrics};
  operations pages{status};

  /// Runs what was posted to the loop.
  void turn() {
    loop.context().poll();
    loop.context().restart();
  }

  test::fake_exchange ask(const std::string& target,
                          verb method = verb::get) {
    test::fake_exchange asked{loop, method, target};
    pages.handle(asked);
    turn();
    return asked;
  }

  void add(const std::string& name, std::uint64_t id) {
    auto& info = store.streams[name];
    info.name = name;
    info.id = stream_id{id};
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

} // namespace

TEST_SUITE_BEGIN("operations");

TEST_CASE_FIXTURE(fixture, "healthz answers whatever the store's state is") {
  store.state = {"failed", "why"};
  const auto answer = ask("/healthz");
  CHECK(answer.status() == 200);
  CHECK(answer.field("Cache-Control") == "no-store");
}

TEST_CASE_FIXTURE(fixture, "readyz says why writes would fail") {
  CHECK(ask("/readyz").status() == 200);
  store.state = {"full", "free space"};
  const auto full = ask("/readyz");
  CHECK(full.status() == 503);
  CHECK(full.body()
        == "{\"error\":{\"code\":\"full\",\"message\":\"free space\"}}");
  store.state = {};
  status.stopping = true;
  CHECK(has(ask("/readyz").body(), "\"stopping\""));
}

TEST_CASE_FIXTURE(fixture, "a client that has ended its side gets its page") {
  add("a", 1);
  for (const auto* const page :
       {"/metrics", "/v1/stats", "/v1/streams", "/v1/streams/a"}) {
    test::fake_exchange asked{loop, verb::get, page};
    pages.handle(asked);
    asked.end_writing();
    turn();
    CHECK(asked.status() == 200);
  }
}

TEST_CASE_FIXTURE(fixture, "metrics are Prometheus' text") {
  store.counts.streams = 5;
  const auto answer = ask("/metrics");
  CHECK(answer.status() == 200);
  CHECK(answer.field("Content-Type").starts_with("text/plain; version=0.0.4"));
  CHECK(has(answer.body(), "\ntorpor_streams{state=\"dormant\"} 5\n"));
}

TEST_CASE_FIXTURE(fixture, "stats are JSON with all that the page shows") {
  store.counts.streams = 5;
  store.counts.awake = 2;
  metrics.add_loop().writes.record(1'000'000);
  status.door = [] { return door_facts{9, 10, 11}; };
  const auto answer = ask("/v1/stats");
  CHECK(answer.status() == 200);
  CHECK(answer.field("Content-Type") == "application/json");
  for (const auto* const part :
       {"\"streams\":{\"total\":5,\"awake\":2,", "\"state\":\"ready\"",
        "\"reason\":\"\"", "\"connections\":9", "\"journal_bytes\":1",
        "\"catalog_bytes\":2", "\"free_bytes\":3", "\"version\":",
        "\"ack_latency\":{\"upper_us\":[18,20,", "\"sum_us\":1000"})
    CHECK_MESSAGE(has(answer.body(), part), answer.body());
}

TEST_CASE_FIXTURE(fixture, "who went away while the store was asked gets no "
                           "answer, and nothing breaks") {
  store.holds = true;
  {
    test::fake_exchange asked{loop, verb::get, "/v1/stats"};
    pages.handle(asked);
    store.answer(); // Posted,
    asked.abort();  // and then nobody is there.
    turn();
    CHECK(!asked.answer);
  }
  test::fake_exchange patient{loop, verb::get, "/v1/stats"};
  pages.handle(patient);
  CHECK(!patient.answer);
  store.answer();
  CHECK(!patient.answer); // Not on the store's thread.
  turn();
  CHECK(patient.status() == 200);
}

TEST_CASE_FIXTURE(fixture, "streams are listed by prefix, page by page") {
  for (std::uint64_t i = 0; i < 5; ++i)
    add(fmt::format("acme/{}", i), i + 1);
  add("zoo \xc3\xbc", 9);
  CHECK(ask("/v1/streams?prefix=acme%2F&limit=2").body()
        == "{\"streams\":[{\"name\":\"acme/0\",\"id\":1},{\"name\":\"acme/1\","
           "\"id\":2}],\"more\":true}");
  CHECK(ask("/v1/streams?limit=2&after=acme/2&prefix=acme/").body()
        == "{\"streams\":[{\"name\":\"acme/3\",\"id\":4},{\"name\":\"acme/4\","
           "\"id\":5}],\"more\":false}");
  CHECK(ask("/v1/streams?prefix=zoo%20%C3%BC").body()
        == "{\"streams\":[{\"name\":\"zoo \xc3\xbc\",\"id\":9}],"
           "\"more\":false}");
  CHECK(ask("/v1/streams?prefix=none").body()
        == "{\"streams\":[],\"more\":false}");
}

TEST_CASE_FIXTURE(fixture, "a list that cannot be asked for is refused") {
  for (const auto* const query :
       {"limit=0", "limit=1001", "limit=x", "limit=1x", "limit=-1",
        "limit=99999999999999999999", "prefix=%", "prefix=%0a", "after=%ff",
        "limit=%zz"}) {
    INFO(std::string{query});
    const auto answer = ask(fmt::format("/v1/streams?{}", query));
    CHECK(answer.status() == 400);
    CHECK(has(answer.body(), "\"invalid_argument\""));
  }
}

TEST_CASE_FIXTURE(fixture, "a stream's facts are told by its name") {
  add("acme/a b", 7);
  auto& info = store.streams["acme/a b"];
  info.next = sequence{3};
  info.origin = {stream_id{1}, sequence{2}, 0, 1};
  info.content_type = "application/json";
  info.keeps.ttl_ms = 1000;
  for (const auto* const target :
       {"/v1/streams/acme/a%20b", "/v1/streams/acme%2Fa%20b?x=1"}) {
    const auto answer = ask(target);
    CHECK(answer.status() == 200);
    CHECK(answer.body().starts_with(
      "{\"name\":\"acme/a b\",\"id\":7,\"first\":0,\"next\":3,"
      "\"inherited\":2,"));
    CHECK(has(answer.body(), "\"ttl_ms\":1000"));
  }
  CHECK(ask("/v1/streams/acme/b").status() == 404);
  CHECK(ask("/v1/streams/").status() == 400);
  CHECK(ask("/v1/streams/a/../b").status() == 400);
}

TEST_CASE_FIXTURE(fixture, "what is not there is told apart from what takes no "
                           "such method") {
  for (const auto* const target :
       {"/", "/metricsx", "/healthz/", "/v1", "/v1/streamsx", "/favicon.ico"})
    CHECK(ask(target).status() == 404);
  for (const auto* const target :
       {"/healthz", "/readyz", "/metrics", "/ui", "/v1/stats", "/v1/streams",
        "/v1/streams/a"}) {
    const auto answer = ask(target, verb::post);
    CHECK(answer.status() == 405);
    CHECK(answer.field("Allow") == "GET, HEAD, OPTIONS");
    CHECK(ask(target, verb::head).status() != 405);
  }
}

TEST_CASE_FIXTURE(fixture, "each page demands its right") {
  const auto right = [](std::string_view target) {
    const auto found = operations::right_for(target);
    REQUIRE(found);
    return fmt::format("{} '{}'", to_string(found->verb), found->name);
  };
  CHECK(right("/metrics") == "admin ''");
  CHECK(right("/v1/stats?x") == "admin ''");
  CHECK(right("/v1/streams") == "read ''");
  CHECK(right("/v1/streams?after=x&prefix=acme%2F") == "read 'acme/'");
  CHECK(right("/v1/streams?prefix=%zz") == "read ''");
  CHECK(right("/v1/streams/acme%2Fa") == "read 'acme/a'");
  CHECK(right("/v1/streams/%zz") == "read ''");
  for (const auto* const open : {"/healthz", "/readyz", "/ui", "/other"})
    CHECK(!operations::right_for(open));
}

TEST_SUITE_END();

} // namespace torpor
