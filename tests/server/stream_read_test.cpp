// SPDX-License-Identifier: Apache-2.0
#include "server/stream_read.hpp"

#include "tests/server/stream_fixture.hpp"

using namespace torpor;
using namespace torpor::test;
using boost::beast::http::verb;

TEST_CASE_FIXTURE(stream_fixture, "a page of bytes is its entries one after another") {
  const auto asked = get("?offset=-1");
  CHECK(store.reads.at(0).request->name == "a");
  CHECK_FALSE(store.reads.at(0).request->options.wait);
  store.answer_read(page_with({"one", "two"}, 0, "text/plain"));
  CHECK(asked->status() == 200);
  CHECK(asked->body() == "onetwo");
  CHECK(asked->field("Content-Type") == "text/plain");
  CHECK(asked->field("Stream-Next-Offset").ends_with("_0000000000000002"));
  CHECK(asked->field("Stream-Up-To-Date") == "true");
  CHECK(asked->field("Stream-Closed") == "-");
  CHECK(asked->field("ETag") == "\"77:0:2\"");
  CHECK(asked->field("Cache-Control")
        == "public, max-age=60, stale-while-revalidate=300");
}

TEST_CASE_FIXTURE(stream_fixture, "a page does not end where a fork leaves its source") {
  const auto asked = get("");
  auto inherited = page_with({"1", "2"}, 0, "application/json", false, 1);
  inherited.joint = true;
  store.answer_read(std::move(inherited));
  REQUIRE(store.reads.size() == 1);
  CHECK(store.reads[0].request->options.from == sequence{2});
  CHECK(store.reads[0].request->options.bytes_max == (1u << 20) - 2);
  store.answer_read(page_with({"3"}, 2, "application/json", true));
  CHECK(asked->body() == "[1,2,3]");
  CHECK(asked->field("ETag") == "\"77:0:3:c\"");
  CHECK(asked->field("Stream-Up-To-Date") == "true");
  // What cannot be read now is read next time.
  const auto partial = get("");
  inherited = page_with({"1"}, 0, "application/json", false, 1);
  inherited.joint = true;
  store.answer_read(std::move(inherited));
  store.answer_read(fail(errc::io_failed, "why"));
  CHECK(partial->body() == "[1]");
  CHECK(partial->field("Stream-Up-To-Date") == "-");
}

TEST_CASE_FIXTURE(stream_fixture, "a page of JSON is an array") {
  const auto body = [&](std::vector<std::string_view> payloads) {
    const auto asked = get("");
    store.answer_read(page_with(std::move(payloads), 0, "application/json"));
    return asked->body();
  };
  CHECK(body({}) == "[]");
  CHECK(body({"1"}) == "[1]");
  CHECK(body({"1", "[2]", "{}"}) == "[1,[2],{}]");
}

TEST_CASE_FIXTURE(stream_fixture, "a page that is not the last tells neither the end nor its being closed") {
  const auto asked = get("");
  store.answer_read(page_with({"one"}, 0, "text/plain", true, 5));
  CHECK(asked->field("Stream-Up-To-Date") == "-");
  CHECK(asked->field("Stream-Closed") == "-");
  CHECK(asked->field("ETag") == "\"77:0:1\"");
}

TEST_CASE_FIXTURE(stream_fixture, "the end of a closed stream has another tag than before") {
  const auto asked = get("?offset=0000000000000000_0000000000000004");
  CHECK(store.reads.at(0).request->options.from == sequence{4});
  store.answer_read(page_with({}, 4, "text/plain", true));
  CHECK(asked->status() == 200);
  CHECK(asked->field("Stream-Closed") == "true");
  CHECK(asked->field("ETag") == "\"77:4:4:c\"");
  CHECK(asked->field("Cache-Control") == "no-cache");
}

TEST_CASE_FIXTURE(stream_fixture, "who has a page is not sent it again") {
  for (const auto* tags : {"\"77:0:1\"", "\"x\", W/\"77:0:1\" ", "*"}) {
    const auto asked = get("", {{"If-None-Match", tags}});
    store.answer_read(page_with({"one"}, 0, "text/plain"));
    CHECK(asked->status() == 304);
    CHECK(asked->body().empty());
    CHECK(asked->field("ETag") == "\"77:0:1\"");
  }
  for (const auto* tags : {"\"77:0:2\"", "", "77:0:1"}) {
    const auto asked = get("", {{"If-None-Match", tags}});
    store.answer_read(page_with({"one"}, 0, "text/plain"));
    CHECK(asked->status() == 200);
  }
}

TEST_CASE_FIXTURE(stream_fixture, "what came with credentials is for no shared cache") {
  const auto asked = get("", {{"Authorization", "Bearer x"}});
  store.answer_read(page_with({"one"}, 0, "text/plain"));
  CHECK(asked->field("Cache-Control").starts_with("private"));
}

TEST_CASE_FIXTURE(stream_fixture, "now is where the stream ends, and is never kept") {
  const auto asked = get("?offset=now");
  CHECK(store.reads.at(0).request->options.tail);
  store.answer_read(page_with({}, 9, "application/json"));
  CHECK(asked->body() == "[]");
  CHECK(asked->field("Stream-Next-Offset").ends_with("9"));
  CHECK(asked->field("Cache-Control") == "no-store");
  CHECK(asked->field("ETag") == "-");
}

TEST_CASE_FIXTURE(stream_fixture, "what was deleted is gone, what never was is a bad request") {
  for (const auto& [first, status] : {std::pair{5u, 410u}, std::pair{0u, 400u}}) {
    const auto asked = get("?offset=0000000000000000_0000000000000003");
    store.answer_read(fail(errc::out_of_range, "why"));
    stream_info info;
    info.first = sequence{first};
    info.next = sequence{first};
    store.answer_info(info);
    CHECK(asked->status() == status);
  }
}

TEST_CASE_FIXTURE(stream_fixture, "what was beyond the end and has come since is not gone") {
  const auto asked = get("?offset=0000000000000000_0000000000000003");
  store.answer_read(fail(errc::out_of_range, "why"));
  stream_info info;
  info.next = sequence{9};
  store.answer_info(info);
  CHECK(asked->status() == 400);
}

TEST_CASE_FIXTURE(stream_fixture, "the start of a stream is the oldest entry it has") {
  const auto asked = get("?offset=-1");
  CHECK(store.reads.at(0).request->options.from == read_options::oldest);
  store.answer_read(page_with({"six"}, 6, "text/plain"));
  CHECK(asked->status() == 200);
  CHECK(asked->field("ETag") == "\"77:6:7\"");
}

TEST_CASE_FIXTURE(stream_fixture, "entries are answered with their boundaries to who asks for them") {
  const auto asked = get("", {{"Accept", "application/vnd.torpor.entries"}});
  store.answer_read(page_with({"1", "2"}, 0, "application/json"));
  CHECK(asked->field("Content-Type") == "application/vnd.torpor.entries");
  CHECK(asked->body().size() == 2 * 17);
  CHECK(asked->field("ETag") == "\"77:0:2:e\"");
  CHECK(asked->field("Vary") == "Accept, Authorization");
}

TEST_CASE_FIXTURE(stream_fixture, "a stream is described without being read") {
  const auto asked = ask(verb::head, "/v1/stream/a");
  stream_info info;
  info.next = sequence{3};
  info.closed = true;
  info.keeps.ttl_ms = 60'000;
  info.keeps.expires_ms = 1'893'456'000'500;
  store.answer_info(info);
  CHECK(asked->status() == 200);
  CHECK(asked->field("Stream-Next-Offset").ends_with("3"));
  CHECK(asked->field("Stream-Closed") == "true");
  CHECK(asked->field("Stream-TTL") == "60");
  CHECK(asked->field("Stream-Expires-At") == "2030-01-01T00:00:00.500Z");
  CHECK(asked->field("Content-Type") == "application/octet-stream");
  CHECK(asked->field("Cache-Control") == "no-store");
  CHECK(store.reads.empty());

  const auto immortal = ask(verb::head, "/v1/stream/a");
  info.keeps = {};
  info.keeps.ttl_ms = retention_policy::unlimited;
  store.answer_info(info);
  CHECK(immortal->field("Stream-TTL") == "-");
  CHECK(immortal->field("Stream-Expires-At") == "-");
}

TEST_CASE_FIXTURE(stream_fixture, "what the protocol does not offer is told apart") {
  CHECK(ask(verb::get, "/v1/stream/__ds/subscriptions/x")->status() == 501);
  const auto patch = ask(verb::patch, "/v1/stream/a");
  CHECK(patch->status() == 405);
  CHECK(patch->field("Allow").find("POST") != std::string::npos);
  CHECK(ask(verb::get, "/v1/stream/..")->status() == 400);
  CHECK(get("?live=sse")->status() == 400);
}

TEST_CASE_FIXTURE(stream_fixture, "a browser may ask before it asks") {
  const auto asked = ask(verb::options, "/v1/stream/a");
  CHECK(asked->status() == 204);
  CHECK(asked->field("Access-Control-Allow-Headers").find("If-None-Match")
        != std::string::npos);
  CHECK(asked->field("Access-Control-Allow-Methods").find("DELETE")
        != std::string::npos);
}
