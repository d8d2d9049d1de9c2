// SPDX-License-Identifier: Apache-2.0
#include "cli/http_load.hpp"

#include "cli/http_bench_streams.hpp"
#include "cli/stream_offset_text.hpp"
#include "tests/support/answering_server.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <map>
#include <set>
#include <thread>

using namespace torpor;
using torpor::test::answer_with;
using torpor::test::answering_server;
using answer = std::optional<answering_server::response>;

namespace {

constexpr std::uint32_t entry_bytes = 8;

/// Keeps counts of streams, as a daemon would.
struct counting_daemon {
  std::map<std::string, std::uint64_t> entries; ///< By target.
  std::multiset<std::string> made;
  std::uint64_t posts = 0;
  /// Puts something in place of the answer to the n-th POST.
  std::function<void(std::uint64_t n, answer& instead)> disturb;

  answer operator()(const answering_server::request& request) {
    const std::string target{request.target()};
    const auto name = target.substr(0, target.find('?'));
    switch (request.method()) {
      case boost::beast::http::verb::put:
        made.insert(name);
        return at(name, 201);
      case boost::beast::http::verb::get:
        return answer_with(200, {{"Stream-Up-To-Date", "true"}},
                           std::string(entries[name] * entry_bytes, 'x'));
      default:
        return post(name, std::string{request["Producer-Seq"]});
    }
  }

  answer post(const std::string& name, const std::string& number) {
    // A number that was there before is no new entry.
    if (number.empty() || std::stoull(number) == entries[name])
      ++entries[name];
    auto done = at(name, 204);
    if (disturb)
      disturb(posts++, done);
    return done;
  }

  answer at(const std::string& name, unsigned status) {
    return answer_with(
      status,
      {{"Stream-Next-Offset", offset_text(sequence{entries[name]})}});
  }
};

/// A daemon and streams of it, for three connections in two threads.
struct fixture {
  counting_daemon daemon;
  answering_server server{[this](const answering_server::request& request) {
    return daemon(request);
  }};
  http_url url = parse_http_url(server.url()).value();
  http_load_options how{url.text, find_server(url).value(), 3, 2, false};
  http_bench_streams all{url, "secret", 7, 3};
  std::string pool = std::string(100, 'x');

  template <class Make>
  std::unique_ptr<http_load> start(Make make) {
    std::vector<std::unique_ptr<http_load_source>> sources;
    for (std::uint32_t i = 0; i < how.threads; ++i)
      sources.push_back(make());
    return std::make_unique<http_load>(how, std::move(sources));
  }

  std::optional<error> once(
    std::unique_ptr<http_load_source> (*make)(http_bench_streams&)) {
    const auto load = start([&] { return make(all); });
    while (!load->finished())
      std::this_thread::yield();
    load->stop();
    return load->failure();
  }

  /// Until so many more were acknowledged, or it failed.
  std::unique_ptr<http_load> append(std::uint64_t count,
                                    std::uint64_t epoch = 0) {
    auto load = start([&] {
      return http_appends(all, {entry_bytes, epoch, 1}, pool);
    });
    load->measure();
    const auto before = load->answered();
    while (load->answered() < before + count && !load->finished())
      std::this_thread::yield();
    load->stop();
    return load;
  }

  [[nodiscard]] std::uint64_t acked() const {
    std::uint64_t sum = 0;
    for (const auto& each : all.streams)
      sum += each.acked;
    return sum;
  }
};

} // namespace

TEST_SUITE_BEGIN("http_load");

TEST_CASE_FIXTURE(fixture, "each stream is made once, by its connection") {
  REQUIRE_FALSE(once(http_stream_maker));
  CHECK(daemon.made.size() == 7);
  for (int i = 0; i < 7; ++i)
    CHECK(daemon.made.count(fmt::format("/v1/stream/bench/{:07}", i)) == 1);
  for (const auto& each : all.streams)
    CHECK(each.begin == offset_text(sequence{0}));
}

TEST_CASE_FIXTURE(fixture, "every append that was answered is counted once") {
  const auto load = append(100);
  REQUIRE_FALSE(load->failure());
  CHECK(acked() >= 100);
  CHECK(acked() == load->answered());
  // What was under way at the end is not measured, but awaited.
  CHECK(load->latencies().count() > 0);
  CHECK(load->latencies().count() <= load->answered());
  CHECK(load->statuses()[204] == load->latencies().count());
  for (std::size_t i = 0; i < all.streams.size(); ++i)
    CHECK(daemon.entries[fmt::format("/v1/stream/bench/{:07}", i)]
          == all.streams[i].acked);
}

TEST_CASE_FIXTURE(fixture, "what was appended is found again") {
  REQUIRE_FALSE(once(http_stream_maker));
  append(50);
  REQUIRE_FALSE(once(http_read_back));
  for (const auto& each : all.streams)
    CHECK(each.found == each.acked * entry_bytes);
}

TEST_CASE_FIXTURE(fixture, "a load that is cut off ends, and says what to do") {
  daemon.disturb = [](std::uint64_t n, answer& instead) {
    if (n == 10)
      instead.reset();
  };
  const auto load = append(1'000'000);
  REQUIRE(load->failure());
  CHECK(load->failure()->context.find("--retry") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "what was cut off after it was taken counts once") {
  how.retries = true;
  daemon.disturb = [](std::uint64_t n, answer& instead) {
    if (n % 10 == 9)
      instead.reset();
  };
  const auto load = append(40, 1);
  REQUIRE_FALSE(load->failure());
  CHECK(load->cuts() >= 4);
  for (std::size_t i = 0; i < all.streams.size(); ++i)
    CHECK(daemon.entries[fmt::format("/v1/stream/bench/{:07}", i)]
          == all.streams[i].acked);
}

TEST_CASE_FIXTURE(fixture, "what was refused for lack of room is sent again") {
  daemon.disturb = [](std::uint64_t n, answer& instead) {
    if (n < 5)
      instead = answer_with(503);
  };
  const auto load = append(20);
  REQUIRE_FALSE(load->failure());
  CHECK(acked() == load->answered());
  CHECK(daemon.posts == acked() + 5);
}

TEST_CASE_FIXTURE(fixture, "any other refusal ends the load with its text") {
  daemon.disturb = [](std::uint64_t, answer& instead) {
    instead = answer_with(
      401, {}, R"({"error":{"code":"unauthorized","message":"no token"}})");
  };
  const auto load = append(1);
  REQUIRE(load->failure());
  CHECK(load->failure()->context.find("401: no token") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "an answer of unknown length ends the load") {
  daemon.disturb = [](std::uint64_t, answer& instead) {
    instead = answer_with(200);
    instead->erase("Content-Length");
  };
  const auto load = append(1);
  REQUIRE(load->failure());
  CHECK(load->failure()->context.find("Content-Length") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a server that closes after each answer is met anew") {
  daemon.disturb = [](std::uint64_t, answer& instead) {
    instead->set("Connection", "close");
  };
  const auto load = append(20);
  CHECK_FALSE(load->failure());
  CHECK(load->cuts() == 0);
}

TEST_CASE_FIXTURE(fixture, "an abandoned load waits for no answer") {
  const auto load = start([&] {
    return http_appends(all, {entry_bytes, 0, 1}, pool);
  });
  load->abandon();
  CHECK(load->finished());
}

TEST_SUITE_END();
