// SPDX-License-Identifier: Apache-2.0
#include "server/stream_live.hpp"

#include "tests/server/stream_fixture.hpp"

using namespace torpor;
using namespace torpor::test;

namespace {

struct live_fixture : stream_fixture {
  /// A client that waits at entry 3, after what a first read brought.
  std::shared_ptr<fake_exchange> wait(const std::string& mode,
                                      const fields& all = {}) {
    const auto asked = get("?offset=0000000000000000_0000000000000003&live="
                             + mode,
                           all);
    // Its own read came behind those that wait.
    auto call = std::move(store.reads.back());
    store.reads.pop_back();
    call.done(page_with({}, 3, "text/plain"));
    asked->drain();
    return asked;
  }
  std::shared_ptr<fake_exchange> poll() { return wait("long-poll"); }
  std::shared_ptr<fake_exchange> follow() { return wait("sse"); }
};

/// That of the last control event.
std::uint64_t cursor_in(const std::string& text) {
  const auto at = text.rfind("streamCursor\":\"");
  REQUIRE(at != std::string::npos);
  return std::stoull(text.substr(at + 15));
}

} // namespace

TEST_CASE_FIXTURE(live_fixture, "a long-poll is answered at once with what there is") {
  const auto asked = get("?offset=-1&live=long-poll");
  CHECK_FALSE(store.reads.at(0).request->options.wait);
  store.answer_read(page_with({"one"}, 0, "text/plain"));
  CHECK(asked->status() == 200);
  CHECK(asked->body() == "one");
  CHECK(asked->field("Stream-Cursor")
        == std::to_string(cursor_at(time.wall_ms())));
  CHECK(store.reads.empty());
}

TEST_CASE_FIXTURE(live_fixture, "a long-poll at the end waits for what comes") {
  const auto asked = poll();
  CHECK_FALSE(asked->over());
  const auto& waiting = *store.reads.at(0).request;
  CHECK(waiting.options.wait);
  CHECK(waiting.options.from == sequence{3});
  CHECK(waiting.stream == stream_id{77});
  store.answer_read(page_with({"new"}, 3, "text/plain"));
  CHECK(asked->status() == 200);
  CHECK(asked->body() == "new");
  CHECK(asked->field("Stream-Next-Offset").ends_with("4"));
}

TEST_CASE_FIXTURE(live_fixture, "a long-poll for which nothing comes ends, and its read too") {
  const auto asked = poll();
  const auto ticket = store.reads.at(0).request->ticket;
  pass(19'999);
  CHECK_FALSE(asked->over());
  pass(1);
  CHECK(asked->status() == 204);
  CHECK(asked->field("Stream-Next-Offset").ends_with("3"));
  CHECK(asked->field("Stream-Up-To-Date") == "true");
  CHECK(asked->field("Stream-Cursor") != "-");
  CHECK(asked->field("Stream-Closed") == "-");
  CHECK(store.cancelled == std::vector{ticket});
  store.answer_read(page_with({}, 3, "")); // What cancelling brings.
}

TEST_CASE_FIXTURE(live_fixture, "a long-poll does not wait at the end of a closed stream") {
  const auto asked = get("?offset=now&live=long-poll");
  CHECK(store.reads.at(0).request->options.tail);
  store.answer_read(page_with({}, 3, "text/plain", true));
  CHECK(asked->status() == 204);
  CHECK(asked->field("Stream-Closed") == "true");
  CHECK(asked->field("Stream-Up-To-Date") == "true");
  CHECK(asked->field("Stream-Cursor") == "-");
}

TEST_CASE_FIXTURE(live_fixture, "a long-poll learns that the stream was closed or deleted") {
  auto asked = poll();
  store.answer_read(page_with({}, 3, "text/plain", true));
  CHECK(asked->status() == 204);
  CHECK(asked->field("Stream-Closed") == "true");
  asked = poll();
  store.answer_read(fail(errc::not_found, "deleted"));
  CHECK(asked->status() == 404);
  asked = get("?offset=-1&live=long-poll");
  store.answer_read(fail(errc::gone, "deleted"));
  CHECK(asked->status() == 410);
}

TEST_CASE_FIXTURE(live_fixture, "a cursor that comes back gets a later one") {
  const auto now = cursor_at(time.wall_ms());
  const auto asked = get("?offset=-1&live=long-poll&cursor="
                         + std::to_string(now));
  store.answer_read(page_with({"one"}, 0, "text/plain"));
  CHECK(std::stoull(asked->field("Stream-Cursor")) > now);
}

TEST_CASE_FIXTURE(live_fixture, "all who wait at one place share a read and its text") {
  const auto first = follow();
  const auto second = follow();
  const auto third = poll();
  REQUIRE(store.reads.size() == 1);
  store.answer_read(page_with({"new"}, 3, "text/plain"));
  // What there was at first, and both events in one.
  REQUIRE(first->parts.size() == 2);
  CHECK(*first->parts[1] == "event: data\ndata:new\n\n");
  CHECK(first->parts[1] == second->parts[1]);
  CHECK(third->body() == "new");
  // Those that follow wait together again.
  REQUIRE(store.reads.size() == 1);
  CHECK(store.reads[0].request->options.from == sequence{4});
}

TEST_CASE_FIXTURE(live_fixture, "cursors differ, the text of the entries is one") {
  const auto cursor = [&](std::uint64_t later) {
    return "&cursor=" + std::to_string(cursor_at(time.wall_ms()) + later);
  };
  const auto first = wait("sse" + cursor(0));
  const auto second = wait("sse" + cursor(1'000));
  const auto third = follow();
  REQUIRE(store.reads.size() == 1);
  store.answer_read(page_with({"new"}, 3, "application/octet-stream"));
  CHECK(first->parts.back() == second->parts.back());
  CHECK(first->parts.back() == third->parts.back());
  CHECK(cursor_in(second->text) > 1'000 + cursor_in(third->text));
  CHECK(cursor_in(first->text) > cursor_in(third->text));
}

TEST_CASE_FIXTURE(live_fixture, "long-polls share one body, and one with boundaries") {
  const auto ask = [&](const fields& all) { return wait("long-poll", all); };
  const fields boundaries{{"Accept", "application/vnd.torpor.entries"}};
  const auto plain = ask({});
  const auto with = ask(boundaries);
  const auto secret = ask({{"Authorization", "Bearer t"}});
  const auto with_too = ask(boundaries);
  store.answer_read(page_with({"new"}, 3, "text/plain"));
  CHECK(plain->body() == "new");
  CHECK(plain->answer->body() == secret->answer->body());
  CHECK(with->body().size() == 16 + 3);
  CHECK(with->answer->body() == with_too->answer->body());
  // What is not the same for all is in their heads.
  CHECK(secret->field("Cache-Control").starts_with("private"));
  CHECK(plain->field("Cache-Control").starts_with("public"));
}

TEST_CASE_FIXTURE(live_fixture, "a read goes on while one of those who share it stays") {
  const auto first = follow();
  const auto second = follow();
  const auto third = follow();
  first->abort();
  third->abort();
  CHECK(store.cancelled.empty());
  store.answer_read(page_with({"new"}, 3, "text/plain"));
  CHECK(second->text.find("data:new") != std::string::npos);
  CHECK(first->text.find("data:new") == std::string::npos);
  second->abort();
  CHECK(store.cancelled.size() == 1);
}

TEST_CASE_FIXTURE(live_fixture, "who ends his side does not follow any more") {
  for (const auto* const mode : {"long-poll", "sse"}) {
    const auto asked = wait(mode);
    asked->end_writing();
    CHECK(asked->gone);
  }
  CHECK(store.cancelled.size() == 2);
}

TEST_CASE_FIXTURE(live_fixture, "who comes after a cancelled read gets a new one") {
  poll()->abort();
  const auto asked = poll();
  REQUIRE(store.reads.size() == 2);
  store.answer_read(page_with({}, 3, "")); // Of the cancelled one.
  CHECK_FALSE(asked->over());
  store.answer_read(page_with({"new"}, 3, "text/plain"));
  CHECK(asked->body() == "new");
}

TEST_CASE_FIXTURE(live_fixture, "events come in pairs, data and control") {
  const auto asked = get("?offset=-1&live=sse");
  store.answer_read(page_with({"a\n", "b"}, 0, "text/plain"));
  CHECK(asked->field("Content-Type") == "text/event-stream");
  CHECK(asked->field("Cache-Control") == "no-cache");
  CHECK(asked->field("Stream-SSE-Data-Encoding") == "-");
  CHECK(asked->text
        == "event: data\ndata:a\ndata:b\n\nevent: control\ndata:"
           "{\"streamNextOffset\":\"0000000000000000_0000000000000002\","
           "\"streamCursor\":\""
             + std::to_string(cursor_at(time.wall_ms()))
             + "\",\"upToDate\":true}\n\n");
}

TEST_CASE_FIXTURE(live_fixture, "events of an empty stream begin with where it ends") {
  const auto asked = get("?offset=now&live=sse");
  store.answer_read(page_with({}, 3, "application/octet-stream"));
  CHECK(asked->field("Stream-SSE-Data-Encoding") == "base64");
  CHECK(asked->text.starts_with("event: control\n"));
  CHECK(asked->text.find("upToDate") != std::string::npos);
  store.answer_read(page_with({"\x01"}, 3, "application/octet-stream"));
  CHECK(asked->text.find("data:AQ==\n") != std::string::npos);
}

TEST_CASE_FIXTURE(live_fixture, "JSON comes as an array in one event") {
  const auto asked = get("?offset=-1&live=sse");
  store.answer_read(page_with({"1", "{\n}"}, 0, "application/json"));
  CHECK(asked->text.starts_with("event: data\ndata:[1,{\ndata:}]\n\n"));
}

TEST_CASE_FIXTURE(live_fixture, "events end with the stream") {
  const auto asked = follow();
  store.answer_read(page_with({"last"}, 3, "text/plain", true));
  CHECK(asked->ended);
  CHECK(asked->text.ends_with("\"upToDate\":true,\"streamClosed\":true}\n\n"));
  CHECK(asked->text.substr(asked->text.rfind("event:")).find("streamCursor")
        == std::string::npos);
  const auto late = get("?offset=-1&live=sse");
  store.answer_read(page_with({}, 3, "text/plain", true));
  CHECK(late->ended);
}

TEST_CASE_FIXTURE(live_fixture, "events end when the stream is deleted or their time is over") {
  auto asked = follow();
  store.answer_read(fail(errc::not_found, "deleted"));
  CHECK(asked->ended);
  asked = follow();
  pass(60'000);
  CHECK(asked->ended);
  CHECK(store.cancelled.size() == 1);
}

TEST_CASE_FIXTURE(live_fixture, "who cannot follow is answered as who cannot read") {
  const auto asked = get("?offset=-1&live=sse");
  store.answer_read(fail(errc::not_found, "why"));
  CHECK(asked->status() == 404);
}

TEST_CASE_FIXTURE(live_fixture, "a client is read to page by page, as it takes them") {
  const auto asked = get("?offset=-1&live=sse");
  store.answer_read(page_with({"one"}, 0, "text/plain", false, 2));
  CHECK(asked->text.find("upToDate") == std::string::npos);
  CHECK(store.reads.empty());
  asked->drain();
  REQUIRE(store.reads.size() == 1);
  CHECK(store.reads[0].request->options.from == sequence{1});
  store.answer_read(page_with({"two"}, 1, "text/plain", false, 1));
  CHECK(store.reads.empty());
}

TEST_CASE_FIXTURE(live_fixture, "a slow client holds up nobody and never has more than a page unsent") {
  const auto slow = follow();
  const auto quick = follow();
  const std::string large(700'000, 'x');
  for (std::uint64_t at = 3; at < 6; ++at) {
    store.answer_read(page_with({large}, at, "text/plain"));
    quick->drain();
    CHECK(slow->unsent < 1'100'000);
  }
  CHECK(quick->text.size() > 3 * large.size());
  CHECK(slow->text.size() < 2 * large.size());
  // It goes on from where it was.
  slow->drain();
  REQUIRE(store.reads.size() == 2);
  CHECK(store.reads[1].request->options.from == sequence{4});
  auto call = std::move(store.reads.back());
  store.reads.pop_back();
  call.done(page_with({large}, 4, "text/plain", false, 1));
  CHECK(slow->text.size() > 2 * large.size());
}

TEST_CASE_FIXTURE(live_fixture, "the cursor of events never goes back") {
  const auto now = cursor_at(time.wall_ms());
  const auto asked = get("?offset=-1&live=sse&cursor=" + std::to_string(now + 5));
  store.answer_read(page_with({}, 3, "text/plain"));
  const auto first = cursor_in(asked->text);
  CHECK(first > now + 5);
  store.answer_read(page_with({"x"}, 3, "text/plain"));
  CHECK(cursor_in(asked->text) == first);
}

TEST_CASE_FIXTURE(live_fixture, "a client that goes away before its first page is forgotten") {
  for (const auto* mode : {"long-poll", "sse"}) {
    const auto asked = get(std::string{"?offset=-1&live="} + mode);
    asked->abort();
    store.answer_read(page_with({}, 3, "text/plain"));
    CHECK(store.reads.empty());
    CHECK_FALSE(asked->answer);
    CHECK_FALSE(asked->head);
  }
}
