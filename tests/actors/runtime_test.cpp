// SPDX-License-Identifier: Apache-2.0
#include "torpor/torpor.hpp"

#include "actors/engine.hpp"
#include "actors/inquiry.hpp"
#include "torpor/messages.hpp"

#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <caf/all.hpp>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace torpor;
using torpor::test::scratch_directory;

options small_store(const scratch_directory& place) {
  options wanted;
  wanted.data_dir = place.path() + "/store";
  wanted.journal.file_bytes = 1u << 20;
  wanted.pool.workers = 4;
  return wanted;
}

runtime open_or_fail(const options& wanted) {
  auto opened = runtime::open(wanted);
  REQUIRE_MESSAGE(opened.has_value(), to_string(opened.error()));
  return std::move(*opened);
}

std::vector<std::string> read_all(const torpor::stream& from) {
  std::vector<std::string> all;
  for (;;) {
    read_options options;
    options.from = sequence{all.size()};
    const auto page = from.read(options).get();
    REQUIRE_MESSAGE(page.has_value(), to_string(page.error()));
    for (const auto& entry : page->entries)
      all.emplace_back(as_text(entry.payload));
    if (page->next_from == page->next)
      return all;
  }
}

} // namespace

TEST_SUITE_BEGIN("runtime");

TEST_CASE("what was acknowledged is there after closing and opening again") {
  const scratch_directory place;
  {
    auto store = open_or_fail(small_store(place));
    const auto stream = store.stream("plant/1");
    for (int i = 0; i < 100; ++i)
      REQUIRE(stream.append(as_bytes(std::to_string(i))).get().has_value());
  }
  auto store = open_or_fail(small_store(place));
  const auto found = read_all(store.stream("plant/1"));
  REQUIRE(found.size() == 100);
  for (int i = 0; i < 100; ++i)
    CHECK(found[static_cast<std::size_t>(i)] == std::to_string(i));
  CHECK(store.stats().replayed_entries == 0);
}

TEST_CASE("appends of many threads arrive once, and in each thread's order") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  constexpr int threads = 4;
  constexpr int each = 5000;
  std::atomic<int> acknowledged{0};
  {
    appender all{store, {}, [&](std::uint64_t, const auto&, const error* why) {
                   if (why == nullptr)
                     ++acknowledged;
                 }};
    std::vector<std::jthread> writers;
    for (int t = 0; t < threads; ++t)
      writers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i)
          all.append(store.stream("s" + std::to_string(i % 7)),
                     as_bytes(std::to_string(t) + "/" + std::to_string(i)));
      });
  }
  CHECK(acknowledged == threads * each);
  std::set<std::string> once;
  for (int s = 0; s < 7; ++s) {
    std::vector<int> last(threads, -1);
    for (const auto& text : read_all(store.stream("s" + std::to_string(s)))) {
      CHECK(once.insert(text).second);
      const auto thread = static_cast<std::size_t>(text[0] - '0');
      const auto number = std::stoi(text.substr(2));
      CHECK(number > last[thread]);
      last[thread] = number;
    }
  }
  CHECK(once.size() == threads * each);
}

TEST_CASE("waiting for an appender ends, whoever else appends and waits") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  for (const std::uint32_t batch_max : {1u, 3u, 256u}) {
    std::atomic<std::uint64_t> acknowledged{0};
    appender_options how;
    how.batch_max = batch_max;
    how.in_flight_max = 16;
    appender all{store, how, [&](std::uint64_t, const auto&, const error*) {
                   ++acknowledged;
                 }};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 500; ++i) {
          all.append(store.stream("s/" + std::to_string((thread + i) % 5)),
                     as_bytes("x"));
          if (i % 7 == 0)
            all.wait();
        }
      });
    for (auto& thread : threads)
      thread.join();
    all.wait();
    CHECK(acknowledged == 2000);
  }
}

TEST_CASE("appends larger than a batch go out one by one") {
  const scratch_directory place;
  auto wanted = small_store(place);
  wanted.journal.file_bytes = 64u << 20;
  wanted.memory.buffered_bytes_max = 32u << 20;
  wanted.memory.stream_bytes_max = 64u << 20;
  auto store = open_or_fail(wanted);
  std::atomic<int> too_large{0};
  appender all{store, {}, [&](std::uint64_t, const auto&, const error* why) {
                 if (why != nullptr && why->code == errc::too_large)
                   ++too_large;
               }};
  const std::string payload(12u << 20, 'x');
  for (int i = 0; i < 4; ++i)
    all.append(store.stream("large"), as_bytes(payload));
  all.wait();
  CHECK(too_large == 0); // Some may be refused for now, none for good.
}

TEST_CASE("a follower gets entries as they become durable") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  const auto stream = store.stream("live");
  REQUIRE(stream.append(as_bytes("old")).get().has_value());
  follower reads{stream, {}};
  auto page = reads.next().get();
  REQUIRE(page.has_value());
  CHECK(as_text(page->entries.at(0).payload) == "old");
  reads.advance(*page);
  auto waits = reads.next();
  REQUIRE(stream.append(as_bytes("new")).get().has_value());
  page = waits.get();
  REQUIRE(page.has_value());
  CHECK(as_text(page->entries.at(0).payload) == "new");
  reads.advance(*page);
  waits = reads.next();
  REQUIRE(stream.close().get().has_value());
  page = waits.get();
  REQUIRE(page.has_value());
  CHECK(page->entries.empty());
  CHECK(page->closed);
}

TEST_CASE("a follower that waits can be cancelled") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  const auto stream = store.stream("silent");
  REQUIRE(stream.append(as_bytes("only")).get().has_value());
  read_options tail;
  tail.from = sequence{1};
  follower reads{stream, tail};
  auto waits = reads.next();
  // Answered by the same shard, so the read has been parked by then.
  REQUIRE(stream.info().get().has_value());
  reads.cancel();
  const auto page = waits.get();
  REQUIRE(page.has_value());
  CHECK(page->entries.empty());
}

TEST_CASE("closing answers everybody, and keeps what it acknowledged") {
  const scratch_directory place;
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> answered{0};
  {
    auto store = open_or_fail(small_store(place));
    const auto stream = store.stream("busy");
    appender all{store, {}, [&](std::uint64_t, const auto&, const error* why) {
                   ++answered;
                   if (why == nullptr)
                     ++acknowledged;
                   else
                     CHECK(why->code == errc::shut_down);
                 }};
    std::atomic<std::uint64_t> sent{0};
    std::jthread writer{[&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        ++sent;
        all.append(stream, as_bytes("x"));
      }
    }};
    while (acknowledged < 1000)
      std::this_thread::yield();
    store.close();
    writer.request_stop();
    writer.join();
    all.wait();
    CHECK(answered == sent);
  }
  auto store = open_or_fail(small_store(place));
  CHECK(read_all(store.stream("busy")).size() == acknowledged);
}

TEST_CASE("a second runtime on the same directory is refused") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  const auto second = runtime::open(small_store(place));
  REQUIRE(!second.has_value());
  CHECK(second.error().code == errc::locked);
}

TEST_CASE("an option out of its range is refused by name") {
  options wanted;
  wanted.sync.max_bytes = 1;
  const auto opened = runtime::open(wanted);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code == errc::invalid_argument);
  CHECK(opened.error().context.find("sync.max-bytes") != std::string::npos);
}

TEST_CASE("the actors live in a host's system as well") {
  const scratch_directory place;
  caf::actor_system_config config;
  caf::actor_system host{config};
  for (int round = 0; round < 2; ++round) {
    auto opened = runtime::open(small_store(place), host);
    REQUIRE(opened.has_value());
    const auto stream = opened->stream("guest");
    const auto done = stream.append(as_bytes("hello")).get();
    REQUIRE(done.has_value());
    CHECK(raw(done->first) == static_cast<std::uint64_t>(round));
  }
}

TEST_CASE("a handle that outlives its runtime says shut_down") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  const auto stream = store.stream("late");
  store.close();
  CHECK(stream.append(as_bytes("x")).get().error().code == errc::shut_down);
  CHECK(stream.read().get().error().code == errc::shut_down);
  CHECK(stream.info().get().error().code == errc::shut_down);
}

TEST_CASE("statistics know a stream before the catalog does, and each sync") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  REQUIRE(store.create("a").get().has_value());
  REQUIRE(store.stream("b").append(as_bytes("1")).get().has_value());
  REQUIRE(store.stream("b").append(as_bytes("2")).get().has_value());
  const auto stats = store.stats();
  CHECK(stats.streams == 2);
  CHECK(stats.committed_entries == 2);
  CHECK(stats.buffered_bytes_max > 0);
  histogram_counts syncs;
  store.engine()->journal_counts().took.add_to(syncs);
  CHECK(syncs.count() == stats.commits);
  CHECK(syncs.sum_ns > 0);
}

TEST_CASE("a question to a store that is closing is answered so") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  REQUIRE(store.create("a").get().has_value());
  store.close();
  errc info{};
  inform(*store.engine(), {{}, "a"}, [&](const result<stream_info>& told) {
    info = told.error().code;
  });
  CHECK(info == errc::shut_down);
  errc listed{};
  list_streams(*store.engine(), "", "", 10,
               [&](const result<stream_names>& told) {
                 listed = told.error().code;
               });
  CHECK(listed == errc::shut_down);
}

TEST_CASE("streams are listed in pages, in byte order, over all shards") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  for (int i = 0; i < 50; ++i)
    REQUIRE(store.create("d/" + std::to_string(100 + i)).get().has_value());
  REQUIRE(store.create("e").get().has_value());
  std::vector<std::string> names;
  std::string after;
  for (;;) {
    const auto page = store.list("d/", after, 7).get();
    REQUIRE(page.has_value());
    for (const auto& [name, id] : *page)
      names.push_back(name);
    if (page->size() < 7)
      break;
    after = names.back();
  }
  REQUIRE(names.size() == 50);
  CHECK(names.front() == "d/100");
  CHECK(names.back() == "d/149");
  CHECK(std::is_sorted(names.begin(), names.end()));
}

TEST_SUITE_END();
