// SPDX-License-Identifier: Apache-2.0
#include "server/stream_create.hpp"

#include "tests/server/stream_fixture.hpp"

using namespace torpor;
using namespace torpor::test;
using boost::beast::http::verb;

namespace {

struct create_fixture : stream_fixture {
  std::shared_ptr<fake_exchange> put(const fields& all = {},
                                     std::string body = {}) {
    return ask(verb::put, "/v1/stream/a%20b?x=y", all, std::move(body));
  }
  /// What a PUT is answered with when there is such a stream.
  unsigned against(const stream_info& there, const fields& all) {
    const auto asked = put(all);
    write_outcome taken;
    taken.code = errc::already_exists;
    store.answer_write(taken);
    store.answer_info(there);
    return asked->status();
  }
  std::shared_ptr<fake_exchange> fork(const fields& all,
                                      const stream_info& source,
                                      std::string body = {}) {
    auto with_source = all;
    with_source.emplace_back("Stream-Forked-From", "/v1/stream/src");
    const auto asked = put(with_source, std::move(body));
    REQUIRE(store.infos.size() == 1);
    CHECK(store.infos[0].name == "src");
    store.answer_info(source);
    return asked;
  }
};

stream_info plain(std::uint64_t next = 0) {
  stream_info info;
  info.id = stream_id{5};
  info.next = sequence{next};
  info.content_type = "text/plain";
  return info;
}

const std::string offset_2 = "0000000000000000_0000000000000002";

} // namespace

TEST_CASE_FIXTURE(create_fixture, "a stream is made with its entries at once") {
  const auto asked = put({{"Content-Type", "Text/Plain;charset=utf-8"},
                          {"Host", "example.org:4437"},
                          {"Stream-TTL", "60"},
                          {"Stream-Closed", "true"}},
                         "hello");
  const auto& batch = *store.writes.at(0).batch;
  CHECK(batch.requests()[0].kind == write_kind::create);
  CHECK(batch.requests()[0].closes);
  CHECK(batch.requests()[0].entries == 1);
  CHECK(batch.retentions()[0].ttl_ms == 60'000);
  CHECK(as_text(batch.bytes()) == "a btext/plainhello");
  write_outcome outcome;
  outcome.count = 1;
  store.answer_write(outcome);
  CHECK(asked->status() == 201);
  CHECK(asked->field("Location") == "http://example.org:4437/v1/stream/a%20b");
  CHECK(asked->field("Content-Type") == "text/plain");
  CHECK(asked->field("Stream-Closed") == "true");
  CHECK(asked->field("Stream-Next-Offset").ends_with("_0000000000000001"));
}

TEST_CASE_FIXTURE(create_fixture, "a stream of JSON may begin with an empty array") {
  put({{"Content-Type", "application/json"}}, "[]");
  CHECK(store.writes.at(0).batch->requests()[0].entries == 0);
  CHECK(put({{"Content-Type", "application/json"}}, "[")->status() == 400);
}

TEST_CASE_FIXTURE(create_fixture, "without a content type a stream has bytes") {
  const auto asked = put();
  store.answer_write({});
  CHECK(asked->field("Content-Type") == "application/octet-stream");
  CHECK(put({{"Content-Type", "application/vnd.torpor.entries"}})->status()
        == 400);
}

TEST_CASE_FIXTURE(create_fixture, "a stream that is there already is as good when it is the same") {
  const fields text{{"Content-Type", "text/plain"}};
  CHECK(against(plain(), text) == 200);
  CHECK(against(plain(), {{"Content-Type", "text/html"}}) == 409);
  CHECK(against(plain(), {}) == 409);

  auto closed = plain();
  closed.closed = true;
  const fields closes{{"Content-Type", "text/plain"}, {"Stream-Closed", "true"}};
  CHECK(against(closed, text) == 409);
  CHECK(against(closed, closes) == 200);
  CHECK(against(plain(), closes) == 409);

  auto mortal = plain();
  mortal.retention.ttl_ms = 60'000;
  CHECK(against(mortal, text) == 409);
  CHECK(against(mortal, {{"Content-Type", "text/plain"}, {"Stream-TTL", "60"}})
        == 200);
  CHECK(against(mortal, {{"Content-Type", "text/plain"}, {"Stream-TTL", "61"}})
        == 409);

  auto unknown = plain();
  unknown.content_type.clear();
  CHECK(against(unknown, {}) == 200);
}

TEST_CASE_FIXTURE(create_fixture, "the name of a deleted stream that has forks is taken") {
  auto asked = put();
  write_outcome gone;
  gone.code = errc::gone;
  store.answer_write(gone);
  CHECK(asked->status() == 409);

  asked = put();
  gone.code = errc::already_exists;
  store.answer_write(gone);
  store.answer_info(fail(errc::gone, "deleted"));
  CHECK(asked->status() == 409);

  asked = put();
  store.answer_write(gone);
  store.answer_info(fail(errc::not_found, "deleted meanwhile"));
  CHECK(asked->status() == 503);
}

TEST_CASE_FIXTURE(create_fixture, "a fork has its source's type and lifetime") {
  auto source = plain(7);
  source.retention.ttl_ms = 1'000;
  const auto asked = fork({}, source, "own");
  const auto& request = store.forks.at(0).request;
  CHECK(request.name == "a b");
  CHECK(request.source == source.id);
  CHECK(request.at == sequence{7});
  CHECK(request.how.content_type == "text/plain");
  CHECK(request.how.keep.ttl_ms == 1'000);
  CHECK(request.entries == std::vector<std::string>{"own"});
  write_outcome outcome;
  outcome.first = sequence{7};
  outcome.count = 1;
  store.answer_fork(outcome);
  CHECK(asked->status() == 201);
  CHECK(asked->field("Stream-Next-Offset").ends_with("8"));
}

TEST_CASE_FIXTURE(create_fixture, "a fork's own lifetime wins over its source's") {
  auto source = plain(7);
  source.retention.expires_ms = 1'000;
  fork({{"Stream-TTL", "5"}}, source);
  CHECK(store.forks.at(0).request.how.keep
        == retention_policy{0, 0, 0, 5'000, 0});
}

TEST_CASE_FIXTURE(create_fixture, "what cannot be forked is refused") {
  CHECK(fork({{"Content-Type", "text/html"}}, plain())->status() == 409);
  CHECK(fork({{"Stream-Fork-Offset", offset_2}}, plain(1))->status() == 400);
  CHECK(fork({{"Stream-Fork-Sub-Offset", "1"}}, plain(1))->status() == 400);
  for (const auto& [code, status] :
       {std::pair{errc::not_found, 404u}, std::pair{errc::gone, 409u}}) {
    const auto asked = put({{"Stream-Forked-From", "/v1/stream/src"}});
    store.answer_info(fail(code, "why"));
    CHECK(asked->status() == status);
  }
  CHECK(store.forks.empty());
}

TEST_CASE_FIXTURE(create_fixture, "a fork within an entry begins with a part of it") {
  fork({{"Stream-Fork-Offset", offset_2}, {"Stream-Fork-Sub-Offset", "3"}},
       plain(3), "XY");
  const auto& read = *store.reads.at(0).request;
  CHECK(read.stream == stream_id{5});
  CHECK(read.options.from == sequence{2});
  store.answer_read(page_with({"hello"}, 2, "text/plain"));
  const auto& request = store.forks.at(0).request;
  CHECK(request.at == sequence{2});
  CHECK(request.how.origin.sub == 3);
  CHECK(request.entries == std::vector<std::string>{"hel", "XY"});

  const auto beyond = fork({{"Stream-Fork-Offset", offset_2},
                            {"Stream-Fork-Sub-Offset", "6"}},
                           plain(3));
  store.answer_read(page_with({"hello"}, 2, "text/plain"));
  CHECK(beyond->status() == 400);
}

TEST_CASE_FIXTURE(create_fixture, "a fork of JSON leaves its source behind a message") {
  auto source = plain(5);
  source.content_type = "application/json";
  fork({{"Stream-Fork-Offset", offset_2}, {"Stream-Fork-Sub-Offset", "3"}},
       source);
  CHECK(store.forks.at(0).request.at == sequence{5});
  CHECK(store.forks.at(0).request.entries.empty());
  CHECK(fork({{"Stream-Fork-Offset", offset_2}, {"Stream-Fork-Sub-Offset", "4"}},
             source)
          ->status()
        == 400);
}

TEST_CASE_FIXTURE(create_fixture, "a fork that is there already is as good when it is the same") {
  const auto again = [&](const fields& all, sequence at, std::uint64_t sub,
                         std::uint64_t source) {
    const auto asked = fork(all, plain(9));
    if (!store.reads.empty())
      store.answer_read(page_with({"hello"}, 2, "text/plain"));
    store.answer_fork(fail(errc::already_exists, "there"));
    auto there = plain(9);
    there.origin = {stream_id{source}, at, sub, 1};
    store.answer_info(there);
    return asked->status();
  };
  const fields at_2{{"Stream-Fork-Offset", offset_2}};
  CHECK(again(at_2, sequence{2}, 0, 5) == 200);
  CHECK(again(at_2, sequence{3}, 0, 5) == 409);
  CHECK(again(at_2, sequence{2}, 1, 5) == 409);
  CHECK(again(at_2, sequence{2}, 0, 6) == 409);
  // The end of a source moves; it was meant wherever it was.
  CHECK(again({}, sequence{4}, 0, 5) == 200);
  const fields within{{"Stream-Fork-Offset", offset_2},
                      {"Stream-Fork-Sub-Offset", "3"}};
  CHECK(again(within, sequence{2}, 3, 5) == 200);
  CHECK(again(within, sequence{2}, 2, 5) == 409);
}
