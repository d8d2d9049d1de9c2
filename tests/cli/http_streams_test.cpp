// SPDX-License-Identifier: Apache-2.0
#include "cli/http_streams.hpp"

#include "cli/entry_frames.hpp"
#include "cli/stream_offset_text.hpp"
#include "tests/support/answering_server.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <deque>
#include <mutex>

using namespace torpor;
using torpor::test::answer_with;
using torpor::test::answering_server;
using answer = std::optional<answering_server::response>;

namespace {

/// Answers one after another, and what was asked for.
struct script {
  std::deque<answer> answers;
  std::vector<answering_server::request> seen;

  answer operator()(const answering_server::request& request) {
    seen.push_back(request);
    if (answers.empty())
      return answer_with(500);
    auto next = std::move(answers.front());
    answers.pop_front();
    return next;
  }
};

/// The script of two threads, the server's and the test's: each use has it for
/// itself.
class shared_script {
public:
  class use {
  public:
    explicit use(shared_script& of) : guard_(of.mutex_), script_(&of.script_) {}
    script* operator->() { return script_; }

  private:
    std::unique_lock<std::recursive_mutex> guard_;
    script* script_;
  };
  use operator->() { return use{*this}; }
  answer operator()(const answering_server::request& request) {
    const std::lock_guard guard{mutex_};
    return script_(request);
  }

private:
  std::recursive_mutex mutex_; ///< One expression may use it twice.
  script script_;
};

daemon_place place_at(const std::string& url) {
  daemon_place place;
  place.url = parse_http_url(url).value();
  return place;
}

/// A daemon that says what it is told to, and the client that talks to it.
struct fixture {
  shared_script daemon;
  answering_server server{[this](const answering_server::request& request) {
    return daemon(request);
  }};
  http_streams streams{place_at(server.url())};

  [[nodiscard]] std::string asked() {
    std::string all;
    for (const auto& each : daemon->seen)
      all += fmt::format("{} {};", std::string{each.method_string()},
                         std::string{each.target()});
    return all;
  }
};

answer at(std::uint64_t next, unsigned status = 204,
          std::vector<std::pair<std::string, std::string>> fields = {},
          std::string body = {}) {
  fields.emplace_back("Stream-Next-Offset", offset_text(sequence{next}));
  return answer_with(status, fields, std::move(body));
}

answer page_of(std::uint64_t next, const std::vector<std::string_view>& entries,
               bool at_tail) {
  return at(next, 200,
            {{"Content-Type", std::string{entry_frames_type}},
             {"Stream-Up-To-Date", at_tail ? "true" : "false"}},
            to_entry_frames(entries));
}

answer refusal(unsigned status, std::string_view code,
               std::string_view message) {
  return answer_with(
    status, {},
    fmt::format(R"({{"error":{{"code":"{}","message":"{}"}}}})", code,
                message));
}

} // namespace

TEST_SUITE_BEGIN("http_streams");

TEST_CASE_FIXTURE(fixture, "an append tells where its entries are") {
  daemon->answers = {at(12)};
  const auto done = streams.append("a b/c", {"one", "two"}, {});
  REQUIRE(done);
  CHECK(done->first == sequence{10});
  CHECK(done->count == 2);
  CHECK_FALSE(done->duplicate);
  CHECK(asked() == "POST /v1/stream/a%20b/c;");
  CHECK(daemon->seen[0]["Content-Type"] == std::string{entry_frames_type});
  CHECK(daemon->seen[0].body() == to_entry_frames({"one", "two"}));
}

TEST_CASE_FIXTURE(fixture, "an append makes a stream that is missing") {
  daemon->answers = {refusal(404, "not_found", "no"), answer_with(201), at(1)};
  CHECK(streams.append("s", {"x"}, {}));
  CHECK(asked() == "POST /v1/stream/s;PUT /v1/stream/s;POST /v1/stream/s;");
}

TEST_CASE_FIXTURE(fixture, "a JSON stream gets an array, from then on at once") {
  daemon->answers = {refusal(409, "mismatch", "it takes JSON"), at(2), at(3)};
  REQUIRE(streams.append("s", {"1", "{}"}, {}));
  CHECK(daemon->seen[1].body() == "[1,{}]");
  CHECK(daemon->seen[1]["Content-Type"] == "application/json");
  REQUIRE(streams.append("s", {"null"}, {}));
  CHECK(daemon->seen.size() == 3);
  CHECK(daemon->seen[2].body() == "[null]");
}

TEST_CASE_FIXTURE(fixture, "lines that together would be other JSON are not "
                           "sent to a JSON stream") {
  daemon->answers = {refusal(409, "mismatch", "it takes JSON"), at(1)};
  const auto merged = streams.append("s", {"{\"a\":1", "\"b\":2}"}, {});
  REQUIRE_FALSE(merged);
  CHECK(merged.error().code == errc::invalid_argument);
  CHECK(merged.error().context.find("line 1 ") != std::string::npos);
  CHECK(daemon->seen.size() == 1);
  daemon->answers = {refusal(409, "mismatch", "it takes JSON"), at(1)};
  REQUIRE(streams.append("s", {"1"}, {}));
  const auto split = streams.append("s", {"1", "1,2"}, {});
  REQUIRE_FALSE(split);
  CHECK(split.error().context.find("line 2 ") != std::string::npos);
  CHECK(daemon->seen.size() == 3);
}

TEST_CASE_FIXTURE(fixture, "a bulk append counts the lines that it has sent") {
  const std::string much = "\"" + std::string(5u << 20, 'x') + "\"";
  daemon->answers = {at(7, 200), refusal(409, "mismatch", "it takes JSON"),
                    at(8, 200)};
  const auto bulk = streams.bulk();
  REQUIRE(bulk->begin("s"));
  REQUIRE(bulk->append(much)); // More than one append has.
  REQUIRE(bulk->append("2"));
  REQUIRE(bulk->append("3,4"));
  const auto done = bulk->finish();
  REQUIRE_FALSE(done);
  CHECK(done.error().context.find("line 3 ") != std::string::npos);
  CHECK(daemon->seen.size() == 3);
}

TEST_CASE_FIXTURE(fixture, "conditions of an append travel with it") {
  daemon->answers = {at(8, 200), at(8, 204)};
  append_options how;
  how.expected_next = sequence{7};
  how.producer = producer{"p", 3, 4};
  const auto first = streams.append("s", {"x"}, how);
  const auto again = streams.append("s", {"x"}, how);
  REQUIRE(first);
  REQUIRE(again);
  CHECK_FALSE(first->duplicate);
  CHECK(again->duplicate);
  CHECK(daemon->seen[0]["Torpor-Expected-Offset"] == offset_text(sequence{7}));
  CHECK(daemon->seen[0]["Producer-Id"] == "p");
  CHECK(daemon->seen[0]["Producer-Epoch"] == "3");
  CHECK(daemon->seen[0]["Producer-Seq"] == "4");
}

TEST_CASE_FIXTURE(fixture, "an append that nobody numbered is not sent twice") {
  daemon->answers = {std::nullopt, at(1)};
  const auto done = streams.append("s", {"x"}, {});
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::io_failed);
  CHECK(daemon->seen.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a bulk append that was cut off is sent again") {
  daemon->answers = {at(5, 200), std::nullopt, at(7, 204)};
  const auto bulk = streams.bulk();
  REQUIRE(bulk->begin("s"));
  REQUIRE(bulk->append("one"));
  REQUIRE(bulk->append("two"));
  REQUIRE(bulk->finish());
  CHECK(asked() == "HEAD /v1/stream/s;POST /v1/stream/s;POST /v1/stream/s;");
  CHECK(daemon->seen[1]["Producer-Id"] == daemon->seen[2]["Producer-Id"]);
  CHECK(daemon->seen[1]["Producer-Seq"] == "0");
  CHECK(daemon->seen[2]["Producer-Seq"] == "0");
  const auto& done = bulk->streams().front();
  CHECK(done.first == sequence{5});
  CHECK(done.entries == 2);
  CHECK(done.bytes == 6);
  CHECK(done.found);
}

TEST_CASE_FIXTURE(fixture, "appends of a bulk are numbered, in each stream") {
  const std::string half(300u << 10, 'x');
  daemon->answers = {at(0, 200), at(1, 200), at(2, 200),
                    at(3, 200), at(0, 200), at(1, 200)};
  const auto bulk = streams.bulk();
  REQUIRE(bulk->begin("s"));
  for (int i = 0; i < 3; ++i)
    REQUIRE(bulk->append(half));
  REQUIRE(bulk->begin("t"));
  REQUIRE(bulk->append("x"));
  REQUIRE(bulk->finish());
  REQUIRE(daemon->seen.size() == 6); // Two would be too much at once.
  CHECK(daemon->seen[1]["Producer-Seq"] == "0");
  CHECK(daemon->seen[2]["Producer-Seq"] == "1");
  CHECK(daemon->seen[3]["Producer-Seq"] == "2");
  CHECK(daemon->seen[5]["Producer-Seq"] == "0");
  CHECK(bulk->streams()[0].entries == 3);
  CHECK(bulk->streams()[1].first == sequence{0});
}

TEST_CASE_FIXTURE(fixture, "a bulk that is too much for a server goes in parts") {
  daemon->answers = {at(0, 200), refusal(413, "too_large", "less at once"),
                    at(1, 200), at(3, 200)};
  const auto bulk = streams.bulk();
  REQUIRE(bulk->begin("s"));
  for (const auto* entry : {"one", "two", "three"})
    REQUIRE(bulk->append(entry));
  REQUIRE(bulk->finish());
  REQUIRE(daemon->seen.size() == 4);
  CHECK(daemon->seen[1]["Producer-Seq"] == "0");
  CHECK(daemon->seen[2]["Producer-Seq"] == "0");
  CHECK(daemon->seen[3]["Producer-Seq"] == "1");
  CHECK(bulk->streams()[0].entries == 3);
}

TEST_CASE_FIXTURE(fixture, "a bulk append refuses a closed stream beforehand") {
  daemon->answers = {at(5, 200, {{"Stream-Closed", "true"}})};
  const auto begun = streams.bulk()->begin("s");
  REQUIRE_FALSE(begun);
  CHECK(begun.error().code == errc::closed);
}

TEST_CASE_FIXTURE(fixture, "a server that is full is asked again") {
  daemon->answers = {answer_with(503, {{"Retry-After", "0"}}),
                    answer_with(429, {{"Retry-After", "0"}}), at(1)};
  CHECK(streams.append("s", {"x"}, {}));
  CHECK(daemon->seen.size() == 3);
}

TEST_CASE_FIXTURE(fixture, "a server that failed for good is not asked again") {
  daemon->answers = {refusal(503, "io_failed", "the disk is gone")};
  const auto done = streams.append("s", {"x"}, {});
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::io_failed);
  CHECK(done.error().context.find("the disk is gone") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a page has the sequences of its entries") {
  daemon->answers = {page_of(7, {"a", "b", "c"}, true)};
  read_options wanted;
  wanted.from = sequence{4};
  const auto page = streams.read({{}, "s"}, wanted);
  REQUIRE(page);
  REQUIRE(page->entries.size() == 3);
  CHECK(page->entries[0].seq == sequence{4});
  CHECK(as_text(page->entries[2].payload) == "c");
  CHECK(page->next_from == sequence{7});
  CHECK(page->next == sequence{7});
  CHECK(daemon->seen[0].target()
        == "/v1/stream/s?offset=0000000000000000_0000000000000004");
  CHECK(daemon->seen[0]["Accept"] == std::string{entry_frames_type});
}

TEST_CASE_FIXTURE(fixture, "a page is cut to what was asked for") {
  daemon->answers = {page_of(7, {"aa", "bb", "cc"}, true),
                    page_of(7, {"aa", "bb", "cc"}, true),
                    page_of(7, {"aa", "bb", "cc"}, true)};
  read_options wanted;
  wanted.count_max = 2;
  auto page = streams.read({{}, "s"}, wanted);
  REQUIRE(page);
  CHECK(page->entries.size() == 2);
  CHECK(page->next_from == sequence{6});
  CHECK(page->next == sequence{7});
  wanted.count_max = 10;
  wanted.bytes_max = 5;
  page = streams.read({{}, "s"}, wanted);
  REQUIRE(page);
  CHECK(page->entries.size() == 2);
  wanted.bytes_max = 1; // One comes in any case.
  page = streams.read({{}, "s"}, wanted);
  REQUIRE(page);
  CHECK(page->entries.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a page that is not the last says that more comes") {
  daemon->answers = {page_of(7, {"a"}, false)};
  const auto page = streams.read({{}, "s"}, {});
  REQUIRE(page);
  CHECK(page->next_from != page->next);
}

TEST_CASE_FIXTURE(fixture, "a wait goes on until an entry comes") {
  daemon->answers = {at(4), at(4), page_of(5, {"x"}, true)};
  read_options wanted;
  wanted.from = sequence{4};
  wanted.wait = true;
  const auto page = streams.read({{}, "s"}, wanted);
  REQUIRE(page);
  CHECK(page->entries.size() == 1);
  CHECK(daemon->seen.size() == 3);
  CHECK(daemon->seen[0].target().ends_with("&live=long-poll"));
}

TEST_CASE_FIXTURE(fixture, "a wait ends where the stream is closed") {
  daemon->answers = {at(4, 204, {{"Stream-Closed", "true"}})};
  read_options wanted;
  wanted.from = sequence{4};
  wanted.wait = true;
  const auto page = streams.read({{}, "s"}, wanted);
  REQUIRE(page);
  CHECK(page->entries.empty());
  CHECK(page->closed);
}

TEST_CASE_FIXTURE(fixture, "a time is looked for page by page") {
  const auto frame = [](char time) {
    auto text = to_entry_frames({"x"});
    text[8] = time;
    return text;
  };
  const std::pair<std::string, std::string> type{
    "Content-Type", std::string{entry_frames_type}};
  daemon->answers = {at(2, 200, {type}, frame(1) + frame(2)),
                    at(4, 200, {type}, frame(3) + frame(5))};
  read_options wanted;
  wanted.from_time = 4;
  const auto page = streams.read({{}, "s"}, wanted);
  REQUIRE(page);
  REQUIRE(page->entries.size() == 1);
  CHECK(page->entries[0].seq == sequence{3});
}

TEST_CASE_FIXTURE(fixture, "bytes without boundaries are not taken for entries") {
  daemon->answers = {at(7, 200, {{"Content-Type", "text/plain"}}, "abc")};
  const auto page = streams.read({{}, "s"}, {});
  REQUIRE_FALSE(page);
  CHECK(page.error().code == errc::incompatible);
}

TEST_CASE_FIXTURE(fixture, "a list goes on where an answer ended") {
  daemon->answers = {
    answer_with(200, {},
                R"({"streams":[{"name":"a","id":1},{"name":"b/é","id":2}],)"
                R"("more":true})"),
    answer_with(200, {}, R"({"streams":[{"name":"c","id":3}],"more":false})")};
  const auto all = streams.list("p", "0", 10);
  REQUIRE(all);
  REQUIRE(all->size() == 3);
  CHECK(all->at(2).first == "c");
  CHECK(all->at(2).second == stream_id{3});
  CHECK(asked()
        == "GET /v1/streams?prefix=p&after=0&limit=10;"
           "GET /v1/streams?prefix=p&after=b%2F%C3%A9&limit=8;");
}

TEST_CASE_FIXTURE(fixture, "what is known of a stream is read from JSON") {
  daemon->answers = {answer_with(
    200, {},
    R"({"name":"s","id":7,"first":2,"next":9,"inherited":4,"bytes":70,)"
    R"("last_ms":5,)"
    R"("closed":true,"content_type":"text/plain","producers":1,)"
    R"("policy":{"max_delay_ms":20},"own_retention":{"age_ms":30}})")};
  const auto info = streams.info({{}, "s"});
  REQUIRE(info);
  CHECK(info->id == stream_id{7});
  CHECK(info->first == sequence{2});
  CHECK(info->next == sequence{9});
  CHECK(info->inherited() == 4);
  CHECK(info->closed);
  CHECK(info->content_type == "text/plain");
  CHECK(info->policy.max_delay_ms == 20);
  CHECK(info->retention.age_ms == 30);
}

TEST_CASE_FIXTURE(fixture, "JSON of something else is refused") {
  for (const auto* text : {"", "[]", "7", "{}", "{", R"({"streams":7})"}) {
    CAPTURE(text);
    daemon->answers = {answer_with(200, {}, text), answer_with(200, {}, text)};
    const auto info = streams.info({{}, "s"});
    const auto list = streams.list("", "", 1);
    REQUIRE_FALSE(info);
    REQUIRE_FALSE(list);
    CHECK(info.error().code == errc::incompatible);
    CHECK(list.error().code == errc::incompatible);
  }
}

TEST_CASE_FIXTURE(fixture, "a stream that is there already is not made anew") {
  daemon->answers = {answer_with(200), refusal(409, "conflict", "differs"),
                    answer_with(201)};
  CHECK(streams.create("s", {}).error().code == errc::already_exists);
  CHECK(streams.create("s", {}).error().code == errc::conflict);
  create_options how;
  how.content_type = "application/json";
  how.keep.ttl_ms = 60'000;
  CHECK(streams.create("s", how));
  CHECK(daemon->seen[2]["Content-Type"] == "application/json");
  CHECK(daemon->seen[2]["Stream-TTL"] == "60");
}

TEST_CASE_FIXTURE(fixture, "what HTTP has no word for is refused, not dropped") {
  create_options how;
  how.policy.linger_ms = 1;
  CHECK(streams.create("s", how).error().code == errc::invalid_argument);
  how = {};
  how.keep.age_ms = 1;
  CHECK(streams.create("s", how).error().code == errc::invalid_argument);
  how = {};
  how.keep.ttl_ms = 1500;
  CHECK(streams.create("s", how).error().code == errc::invalid_argument);
  CHECK(daemon->seen.empty());
}

TEST_CASE_FIXTURE(fixture, "refusals say what to do") {
  daemon->answers = {refusal(401, "unauthorized", "no token")};
  const auto done = streams.close("s");
  REQUIRE_FALSE(done);
  CHECK(done.error().context
        == "close 's': the server answers 401: no token; give a token in "
           "TORPOR_TOKEN or with --token-file");
}

TEST_CASE("a token goes with every request") {
  shared_script daemon;
  daemon->answers = {answer_with(204)};
  answering_server server{std::ref(daemon)};
  auto place = place_at(server.url());
  place.token = "secret";
  CHECK(http_streams{place}.remove("s"));
  CHECK(daemon->seen[0]["Authorization"] == "Bearer secret");
}

TEST_CASE("a Unix socket is as good as a port") {
  const test::scratch_directory place;
  shared_script daemon;
  daemon->answers = {answer_with(204)};
  answering_server server{std::ref(daemon), place.path() + "/s"};
  CHECK(http_streams{place_at(server.url())}.remove("s"));
}

TEST_CASE("where nobody listens is told at once") {
  std::string url;
  {
    const answering_server gone{script{}};
    url = gone.url();
  }
  const auto done = http_streams{place_at(url)}.close("s");
  REQUIRE_FALSE(done);
  CHECK(done.error().context.find("is torpord running") != std::string::npos);
}

TEST_SUITE_END();
