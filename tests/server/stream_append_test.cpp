// SPDX-License-Identifier: Apache-2.0
#include "server/stream_append.hpp"

#include "server/entries_body.hpp"
#include "tests/server/stream_fixture.hpp"

using namespace torpor;
using namespace torpor::test;
using boost::beast::http::verb;

namespace {

struct append_fixture : stream_fixture {
  std::shared_ptr<fake_exchange> post(fields all, std::string body = "x") {
    all.emplace_back("Content-Type", "text/plain");
    return ask(verb::post, "/v1/stream/a", all, std::move(body));
  }
  std::shared_ptr<fake_exchange> produce(const std::string& epoch,
                                         const std::string& number,
                                         std::string body = "x") {
    fields all{{"Producer-Id", "p"},
               {"Producer-Epoch", epoch},
               {"Producer-Seq", number}};
    if (body.empty())
      all.emplace_back("Stream-Closed", "true");
    return post(all, std::move(body));
  }
  [[nodiscard]] const write_batch::request& sent() const {
    REQUIRE(store.writes.size() == 1);
    REQUIRE(store.writes[0].batch->size() == 1);
    return store.writes[0].batch->requests()[0];
  }
};

write_outcome at(std::uint64_t first, std::uint32_t count) {
  write_outcome outcome;
  outcome.first = sequence{first};
  outcome.count = count;
  return outcome;
}

write_outcome refused(errc code, std::uint64_t first = 0,
                      std::uint64_t producer = 0) {
  write_outcome outcome;
  outcome.code = code;
  outcome.first = sequence{first};
  outcome.producer = producer;
  return outcome;
}

} // namespace

TEST_CASE_FIXTURE(append_fixture, "a body is one entry of a stream that exists") {
  const auto asked = post({}, "hello");
  CHECK_FALSE(sent().creates);
  CHECK(sent().entries == 1);
  CHECK(sent().ack == ack::durable);
  CHECK_FALSE(asked->over());
  store.answer_write(at(6, 1));
  CHECK(asked->status() == 204);
  CHECK(asked->field("Stream-Next-Offset")
        == "0000000000000000_0000000000000007");
  CHECK(asked->field("Stream-Closed") == "-");
}

TEST_CASE_FIXTURE(append_fixture, "an array of JSON is an entry per element") {
  ask(verb::post, "/v1/stream/a", {{"Content-Type", "application/json"}},
      "[1, {}]");
  CHECK(sent().entries == 2);
  CHECK(as_text(store.writes[0].batch->bytes()) == "aapplication/json1{}");
}

TEST_CASE_FIXTURE(append_fixture, "what is no append is refused before the store") {
  CHECK(post({}, "")->status() == 400);
  CHECK(ask(verb::post, "/v1/stream/a", {}, "x")->status() == 400);
  for (const auto* body : {"[]", "{ invalid", ""})
    CHECK(ask(verb::post, "/v1/stream/a", {{"Content-Type", "application/json"}},
              body)
            ->status()
          == 400);
  CHECK(post({{"Producer-Id", "p"}})->status() == 400);
  CHECK(store.writes.empty());
}

TEST_CASE_FIXTURE(append_fixture, "a body and the end of a stream are one request") {
  const auto asked = post({{"Stream-Closed", "true"}}, "last");
  CHECK(sent().closes);
  CHECK(sent().entries == 1);
  auto outcome = at(0, 1);
  outcome.closed = true;
  store.answer_write(outcome);
  CHECK(asked->status() == 204);
  CHECK(asked->field("Stream-Closed") == "true");
}

TEST_CASE_FIXTURE(append_fixture, "to close a closed stream again is no error") {
  const auto again = post({{"Stream-Closed", "true"}}, "");
  CHECK(sent().type_bytes == 0);
  store.answer_write(refused(errc::closed, 3));
  CHECK(again->status() == 204);
  CHECK(again->field("Stream-Closed") == "true");
  CHECK(again->field("Stream-Next-Offset")
        == "0000000000000000_0000000000000003");
}

TEST_CASE_FIXTURE(append_fixture, "who appends to a closed stream is told where it ended") {
  for (const auto closes : {false, true}) {
    const auto asked = post(closes ? fields{{"Stream-Closed", "true"}}
                                   : fields{});
    store.answer_write(refused(errc::closed, 3));
    CHECK(asked->status() == 409);
    CHECK(asked->field("Stream-Closed") == "true");
    CHECK(asked->field("Stream-Next-Offset")
          == "0000000000000000_0000000000000003");
  }
  const auto other = produce("0", "0", "");
  store.answer_write(refused(errc::closed, 3));
  CHECK(other->status() == 409);
}

TEST_CASE_FIXTURE(append_fixture, "new entries of a producer are told from repeated ones") {
  auto fresh = produce("4", "2");
  auto outcome = at(5, 1);
  outcome.producer = 2;
  store.answer_write(outcome);
  CHECK(fresh->status() == 200);
  CHECK(fresh->field("Producer-Epoch") == "4");
  CHECK(fresh->field("Producer-Seq") == "2");

  auto again = produce("4", "1");
  outcome.duplicate = true;
  store.answer_write(outcome);
  CHECK(again->status() == 204);
  CHECK(again->field("Producer-Seq") == "2");

  auto close = produce("4", "3", "");
  store.answer_write(at(6, 0));
  CHECK(close->status() == 204);
}

TEST_CASE_FIXTURE(append_fixture, "a producer that skips numbers is told which is expected") {
  const auto asked = produce("0", "5");
  store.answer_write(refused(errc::conflict, 0, 1));
  CHECK(asked->status() == 409);
  CHECK(asked->field("Producer-Expected-Seq") == "1");
  CHECK(asked->field("Producer-Received-Seq") == "5");
}

TEST_CASE_FIXTURE(append_fixture, "a new epoch that does not begin with 0 is a bad request") {
  const auto asked = produce("1", "5");
  store.answer_write(refused(errc::conflict, 0, 0));
  CHECK(asked->status() == 400);
  const auto first = produce("0", "5"); // Of no epoch before.
  store.answer_write(refused(errc::conflict, 0, 0));
  CHECK(first->status() == 409);
  CHECK(first->field("Producer-Expected-Seq") == "0");
}

TEST_CASE_FIXTURE(append_fixture, "a producer of an old epoch is told the new one") {
  const auto asked = produce("0", "5");
  store.answer_write(refused(errc::fenced, 0, 7));
  CHECK(asked->status() == 403);
  CHECK(asked->field("Producer-Epoch") == "7");
}

TEST_CASE_FIXTURE(append_fixture, "an append out of order is told where the stream ends") {
  const auto asked = post({{"Stream-Seq", "09"},
                           {"Torpor-Expected-Offset",
                            "0000000000000000_0000000000000004"}});
  CHECK(sent().order_bytes == 2);
  CHECK(sent().expected == sequence{4});
  store.answer_write(refused(errc::conflict, 8));
  CHECK(asked->status() == 409);
  CHECK(asked->field("Stream-Next-Offset")
        == "0000000000000000_0000000000000008");
}

TEST_CASE_FIXTURE(append_fixture, "each failure has its status, and says whether to retry") {
  const std::vector<std::pair<errc, unsigned>> statuses{
    {errc::not_found, 404},   {errc::gone, 410},     {errc::mismatch, 409},
    {errc::too_large, 413},   {errc::overloaded, 503}, {errc::io_failed, 503},
    {errc::shut_down, 503},   {errc::corrupt, 500},
    {errc::invalid_argument, 400}};
  for (const auto& [code, status] : statuses) {
    const auto asked = post({});
    store.answer_write(refused(code));
    CHECK(asked->status() == status);
    // Whether an append is there that failed for the disk, nobody knows.
    CHECK(asked->field("Retry-After")
          == (code == errc::overloaded ? "1" : "-"));
    CHECK(asked->body().find(std::string{to_string(code)})
          != std::string::npos);
  }
}

TEST_CASE_FIXTURE(append_fixture, "writes of one round travel together") {
  for (auto i = 0; i < 3; ++i) {
    exchanges.push_back(std::make_shared<fake_exchange>(
      loop, verb::post, i == 2 ? "/v1/stream/bb" : "/v1/stream/a",
      fields{{"Content-Type", "text/plain"}}, "x"));
    streams.handle(*exchanges.back());
  }
  CHECK(store.writes.empty());
  go_round();
  REQUIRE(store.writes.size() == 2);
  CHECK(store.writes[0].batch->size() == 2);
  CHECK(store.writes[0].shard != store.writes[1].shard);
  // Each gets its own answer.
  store.writes[0].batch->promise(0, at(4, 1));
  store.writes[0].batch->promise(1, at(5, 1));
  store.writes[0].done(std::move(store.writes[0].batch));
  CHECK(exchanges[0]->field("Stream-Next-Offset").ends_with("5"));
  CHECK(exchanges[1]->field("Stream-Next-Offset").ends_with("6"));
  CHECK_FALSE(exchanges[2]->over());
}

TEST_CASE_FIXTURE(append_fixture, "a large append does not drag others into a batch that is too large") {
  for (auto i = 0; i < 3; ++i) {
    exchanges.push_back(std::make_shared<fake_exchange>(
      loop, verb::post, "/v1/stream/a", fields{{"Content-Type", "text/plain"}},
      std::string(i == 1 ? 2u << 20 : 1, 'x')));
    streams.handle(*exchanges.back());
  }
  CHECK(store.writes.size() == 2); // It went alone, at once.
  go_round();
  CHECK(store.writes.size() == 3);
}

TEST_CASE_FIXTURE(append_fixture, "what a large batch took is given back") {
  std::string body{"[0"};
  for (auto i = 1; i < 100'000; ++i)
    body += ",0";
  exchanges.push_back(std::make_shared<fake_exchange>(
    loop, verb::post, "/v1/stream/a",
    fields{{"Content-Type", "application/json"}}, body + ']'));
  streams.handle(*exchanges.back());
  CHECK(sent().entries == 100'000);
  store.answer_write(at(0, 1));
  post({});
  CHECK(store.writes[0].batch->entry_sizes().capacity() < 1000);
}

TEST_CASE_FIXTURE(append_fixture, "a finished batch is filled again") {
  post({});
  const auto* batch = store.writes[0].batch.get();
  store.answer_write(at(0, 1));
  post({});
  CHECK(store.writes[0].batch.get() == batch);
  CHECK(sent().entries == 1);
}

TEST_CASE_FIXTURE(append_fixture, "entries with boundaries are one append of the stream's type") {
  const auto body = entries_body({{sequence{}, 0, as_bytes("one"), {}},
                                  {sequence{}, 0, as_bytes("two"), {}}});
  const fields type{{"Content-Type", "application/vnd.torpor.entries"}};
  ask(verb::post, "/v1/stream/a", type, body);
  stream_info info;
  info.content_type = "text/plain";
  store.answer_info(info);
  go_round();
  CHECK(sent().entries == 2);
  CHECK(as_text(store.writes[0].batch->bytes()) == "atext/plainonetwo");

  const auto json = ask(verb::post, "/v1/stream/a", type, body);
  info.content_type = "application/json";
  store.answer_info(info);
  CHECK(json->status() == 409);
  CHECK(ask(verb::post, "/v1/stream/a", type, body + "x")->status() == 400);
}

TEST_CASE_FIXTURE(append_fixture, "a stream without a type takes bytes") {
  const fields bytes{{"Content-Type", "application/octet-stream"}};
  const auto untyped = ask(verb::post, "/v1/stream/a", bytes, "x");
  store.answer_write(refused(errc::mismatch));
  store.answer_info(stream_info{});
  go_round();
  CHECK(sent().type_bytes == 0);
  store.answer_write(at(0, 1));
  CHECK(untyped->status() == 204);

  const auto text = ask(verb::post, "/v1/stream/a", bytes, "x");
  store.answer_write(refused(errc::mismatch));
  stream_info info;
  info.content_type = "text/plain";
  store.answer_info(info);
  CHECK(text->status() == 409);
}

TEST_CASE_FIXTURE(append_fixture, "a delete says what became of it") {
  auto asked = ask(verb::delete_, "/v1/stream/a");
  CHECK(sent().kind == write_kind::remove);
  store.answer_write({});
  CHECK(asked->status() == 204);
  asked = ask(verb::delete_, "/v1/stream/a");
  store.answer_write(refused(errc::gone));
  CHECK(asked->status() == 410);
}

TEST_CASE("appends below some prefixes are acknowledged before they are durable") {
  stream_options options;
  options.buffered = {"logs/"};
  stream_fixture some{options};
  const auto ack_of = [&](const std::string& target, fields all) {
    all.emplace_back("Content-Type", "text/plain");
    some.ask(verb::post, target, all, "x");
    const auto found = some.store.writes.at(0).batch->requests()[0].ack;
    some.store.answer_write(at(0, 1));
    return found;
  };
  CHECK(ack_of("/v1/stream/logs/a", {}) == ack::buffered);
  CHECK(ack_of("/v1/stream/logs/a", {{"Torpor-Ack", "durable"}})
        == ack::durable);
  CHECK(ack_of("/v1/stream/log", {}) == ack::durable);
  CHECK(ack_of("/v1/stream/log", {{"Torpor-Ack", "buffered"}})
        == ack::buffered);
}
