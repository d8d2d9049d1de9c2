// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "tests/support/table_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

struct started : table_fixture {
  started() { start(); }

  /// Ten blocks of ten entries "0" to "99", 10 ms apart from 1,000,000 on.
  void fill() {
    clock.wall = 1'000'000;
    for (int block = 0; block < 10; ++block) {
      payloads all;
      for (int i = 0; i < 10; ++i)
        all.push_back(std::to_string(10 * block + i));
      append_all({{}, "a"}, all);
      settle();
      clock.wall += 10;
    }
  }

  read_answer read_from(std::uint64_t from, std::uint32_t count_max = 1000,
                        std::uint64_t bytes_max = 1u << 20) {
    read_options options;
    options.from = sequence{from};
    options.count_max = count_max;
    options.bytes_max = bytes_max;
    return read({{}, "a"}, options);
  }

  read_answer read_since(std::int64_t time_ms, bool wait = false) {
    read_options options;
    options.from_time = time_ms;
    options.wait = wait;
    return read({{}, "a"}, options);
  }
};

payloads numbers(int from, int to) {
  payloads all;
  for (int i = from; i < to; ++i)
    all.push_back(std::to_string(i));
  return all;
}

} // namespace

TEST_SUITE("stream_table_read") {
  // -- what is visible -------------------------------------------------------

  TEST_CASE_FIXTURE(started, "only durable entries are visible") {
    append({{}, "a"}, "durable");
    settle();
    append({{}, "a"}, "in flight");
    buffered({{}, "a"}, "buffered");
    const auto page = read({{}, "a"});
    CHECK(page->payloads() == payloads{"durable"});
    CHECK(page->page.next == sequence{1});
    CHECK(info({{}, "a"}).next == sequence{1});
    CHECK(read_from(2)->code == errc::out_of_range);
    commit();
    CHECK(read({{}, "a"})->payloads() == payloads{"durable", "in flight"});
  }

  TEST_CASE_FIXTURE(started, "a stream that is not durable yet is not found") {
    append({{}, "a"}, "x");
    CHECK(read({{}, "a"})->code == errc::not_found);
    CHECK(wait({{}, "a"}, 0)->code == errc::not_found);
    CHECK(list().empty());
    commit();
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
    CHECK(read({{}, "b"})->code == errc::not_found);
    CHECK(read({stream_id{999}, {}})->code == errc::not_found);
    CHECK(read({})->code == errc::not_found);
  }

  // -- where and how much ----------------------------------------------------

  TEST_CASE_FIXTURE(started, "a read begins where it is told") {
    fill();
    for (int from = 0; from < 100; ++from) {
      const auto page = read_from(static_cast<std::uint64_t>(from));
      REQUIRE(page->payloads() == numbers(from, 100));
      REQUIRE(raw(page->page.entries.front().seq)
              == static_cast<std::uint64_t>(from));
      CHECK(page->page.next_from == sequence{100});
      CHECK(page->page.next == sequence{100});
    }
  }

  TEST_CASE_FIXTURE(started, "the end is empty, beyond it is out of range") {
    fill();
    const auto end = read_from(100);
    CHECK(end->payloads().empty());
    CHECK(end->page.next_from == sequence{100});
    const auto beyond = read_from(101);
    CHECK(beyond->code == errc::out_of_range);
    CHECK(beyond->text.find("100") != std::string::npos);
    CHECK(read_from(~0ull - 1)->code == errc::out_of_range);
    CHECK(wait({{}, "a"}, 101)->code == errc::out_of_range);
  }

  TEST_CASE_FIXTURE(started, "before the first kept entry is out of range") {
    stream_record record;
    record.name = "old";
    record.first = record.next = sequence{50};
    const stream_id id{1u << 8 | slot_of("old")};
    std::vector<catalog_change> changes;
    changes.push_back({id, std::move(record)});
    REQUIRE(stored->update(changes, std::nullopt));
    start();
    const auto before = read({{}, "old"});
    CHECK(before->code == errc::out_of_range);
    CHECK(before->text.find("begins at sequence 50") != std::string::npos);
    read_options options;
    options.from = sequence{50};
    CHECK(read({{}, "old"}, options)->payloads().empty());
    CHECK(info({{}, "old"}).first == sequence{50});
  }

  TEST_CASE_FIXTURE(started, "pages are bounded by count and lose nothing") {
    fill();
    for (const std::uint32_t count : {1u, 3u, 10u, 99u, 100u}) {
      payloads all;
      std::uint64_t from = 0;
      while (from < 100) {
        const auto page = read_from(from, count);
        REQUIRE(page->payloads().size()
                == std::min<std::uint64_t>(count, 100 - from));
        for (const auto& payload : page->payloads())
          all.push_back(payload);
        from = raw(page->page.next_from);
      }
      CHECK(all == numbers(0, 100));
    }
  }

  TEST_CASE_FIXTURE(started, "pages are bounded by bytes, one entry at least") {
    payloads all;
    for (int i = 0; i < 30; ++i) {
      all.push_back(std::string(100, static_cast<char>('a' + i % 26)));
      append({{}, "a"}, all.back());
      if (i % 4 == 0)
        settle();
    }
    settle();
    CHECK(read_from(0, 1000, 1)->payloads().size() == 1);
    CHECK(read_from(7, 1000, 99)->payloads() == payloads{all[7]});
    CHECK(read_from(0, 1000, 250)->payloads().size() == 2);
    CHECK(read_from(0, 1000, 300)->payloads().size() == 3);
    payloads got;
    for (std::uint64_t from = 0; from < 30;) {
      const auto page = read_from(from, 1000, 777);
      for (const auto& payload : page->payloads())
        got.push_back(payload);
      REQUIRE(raw(page->page.next_from) > from);
      from = raw(page->page.next_from);
    }
    CHECK(got == all);
  }

  TEST_CASE_FIXTURE(started, "a small page looks at few blocks") {
    for (int i = 0; i < 50; ++i) {
      append({{}, "a"}, "x");
      settle();
    }
    auto request = std::make_unique<read_request>();
    request->name = "a";
    request->options.count_max = 3;
    request->options.bytes_max = 1u << 30;
    table->read(std::move(request));
    REQUIRE(table->out().reads.size() == 1);
    CHECK(table->out().reads[0].blocks.size() <= 3);
    table->out().reads.clear();
  }

  TEST_CASE_FIXTURE(started, "bounds of a read out of range are refused") {
    fill();
    CHECK(read_from(0, 0)->code == errc::invalid_argument);
    CHECK(read_from(0, 1'000'001)->code == errc::invalid_argument);
    CHECK(read_from(0, 1, 0)->code == errc::invalid_argument);
    CHECK(read_from(0, 1, (1u << 30) + 1)->code == errc::invalid_argument);
    CHECK(read_from(0, 1'000'000, 1u << 30)->payloads() == numbers(0, 100));
  }

  TEST_CASE_FIXTURE(started, "a read begins at a time") {
    fill();
    CHECK(read_since(0)->payloads() == numbers(0, 100));
    CHECK(read_since(1'000'000)->payloads() == numbers(0, 100));
    CHECK(read_since(1'000'001)->payloads() == numbers(10, 100));
    CHECK(read_since(1'000'050)->payloads() == numbers(50, 100));
    CHECK(read_since(1'000'090)->payloads() == numbers(90, 100));
    const auto late = read_since(1'000'091);
    CHECK(late->payloads().empty());
    CHECK(late->page.next_from == sequence{100});
  }

  TEST_CASE_FIXTURE(started, "a time inside a block begins inside it") {
    clock.wall = 100;
    buffered({{}, "a"}, "1");
    clock.wall = 200;
    buffered({{}, "a"}, "2");
    clock.wall = 300;
    append({{}, "a"}, "3");
    settle();
    const auto page = read_since(150);
    CHECK(page->payloads() == payloads{"2", "3"});
    CHECK(page->page.entries[0].seq == sequence{1});
  }

  TEST_CASE_FIXTURE(started, "a stream without entries is read as empty") {
    create("a");
    settle();
    CHECK(read_from(0)->payloads().empty());
    CHECK(read_since(0)->payloads().empty());
    CHECK(read_from(1)->code == errc::out_of_range);
  }

  // -- waiting ---------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a waiting read is answered by the commit") {
    append({{}, "a"}, "x");
    settle();
    const auto one = wait({{}, "a"}, 1);
    const auto two = wait({{}, "a"}, 1);
    const auto behind = wait({{}, "a"}, 0);
    CHECK(behind->payloads() == payloads{"x"}); // Nothing to wait for.
    append({{}, "a"}, "y");
    CHECK_FALSE(one->done); // Not durable yet.
    append({{}, "b"}, "z");
    CHECK(table->stats().parked_reads == 2);
    commit();
    CHECK(one->payloads() == payloads{"y"});
    CHECK(two->payloads() == payloads{"y"});
    CHECK(one->page.next_from == sequence{2});
    CHECK(table->stats().parked_reads == 0);
  }

  TEST_CASE_FIXTURE(started, "a commit of another stream wakes no reader") {
    append({{}, "a"}, "x");
    settle();
    const auto waiting = wait({{}, "a"}, 1);
    append({{}, "b"}, "y");
    settle();
    CHECK_FALSE(waiting->done);
  }

  TEST_CASE_FIXTURE(started, "a change of policy wakes no reader") {
    append({{}, "a"}, "x");
    settle();
    const auto one = wait({{}, "a"}, 1);
    const auto two = wait({{}, "a"}, 1, 5);
    const auto later = read_since(clock.wall + 1, true);
    set_policy({{}, "a"}, {.linger_ms = 0});
    settle();
    CHECK_FALSE(one->done);
    CHECK_FALSE(two->done);
    CHECK_FALSE(later->done);
    clock.wall += 10;
    append({{}, "a"}, "y");
    settle();
    for (const auto& answer : {one, two, later})
      CHECK(answer->payloads() == payloads{"y"});
  }

  TEST_CASE_FIXTURE(started, "a read from a time to come waits for it") {
    append({{}, "a"}, "x");
    settle();
    const auto waiting = read_since(clock.wall + 100, true);
    CHECK_FALSE(waiting->done);
    clock.wall += 50;
    append({{}, "a"}, "too early");
    settle();
    CHECK_FALSE(waiting->done);
    clock.wall += 50;
    append({{}, "a"}, "y");
    settle();
    CHECK(waiting->payloads() == payloads{"y"});
  }

  TEST_CASE_FIXTURE(started, "a close ends a wait") {
    append({{}, "a"}, "x");
    settle();
    const auto waiting = wait({{}, "a"}, 1);
    control(write_kind::close, {{}, "a"});
    CHECK_FALSE(waiting->done);
    settle();
    CHECK(waiting->payloads().empty());
    CHECK(waiting->page.closed);
    CHECK(waiting->page.next_from == sequence{1});
    const auto late = wait({{}, "a"}, 1);
    CHECK(late->payloads().empty());
    CHECK(late->page.closed);
  }

  TEST_CASE_FIXTURE(started, "last entries and a close come together") {
    append({{}, "a"}, "x");
    settle();
    const auto waiting = wait({{}, "a"}, 1);
    buffered({{}, "a"}, "y");
    control(write_kind::close, {{}, "a"});
    settle();
    CHECK(waiting->payloads() == payloads{"y"});
    CHECK(waiting->page.closed);
  }

  TEST_CASE_FIXTURE(started, "a remove ends a wait") {
    append({{}, "a"}, "x");
    settle();
    const auto waiting = wait({{}, "a"}, 1, 9);
    control(write_kind::remove, {{}, "a"});
    settle();
    CHECK(waiting->done);
    CHECK(waiting->code == errc::not_found);
    table->cancel(9);
    CHECK(table->stats().parked_reads == 0);
  }

  TEST_CASE_FIXTURE(started,
                    "a cancelled wait ends empty, the others wait on") {
    append({{}, "a"}, "x");
    settle();
    const auto one = wait({{}, "a"}, 1, 1);
    const auto two = wait({{}, "a"}, 1, 2);
    const auto three = wait({{}, "a"}, 1);
    table->cancel(2);
    CHECK(two->payloads().empty());
    CHECK(two->page.next_from == sequence{1});
    CHECK_FALSE(one->done);
    CHECK_FALSE(three->done);
    table->cancel(2);
    table->cancel(77);
    table->cancel(0);
    CHECK_FALSE(three->done);
    append({{}, "a"}, "y");
    settle();
    CHECK(one->payloads() == payloads{"y"});
    CHECK(three->payloads() == payloads{"y"});
    table->cancel(1); // Too late: was answered.
  }

  TEST_CASE_FIXTURE(started, "a failure does not end waits: reads go on") {
    append({{}, "a"}, "x");
    settle();
    const auto waiting = wait({{}, "a"}, 1, 3);
    append({{}, "a"}, "lost");
    fail({errc::io_failed, "broken"});
    CHECK_FALSE(waiting->done);
    table->cancel(3);
    CHECK(waiting->payloads().empty());
  }

  TEST_CASE_FIXTURE(table_fixture, "a wait outlives its record in memory") {
    settings.record_cache = 0;
    start();
    append({{}, "a"}, "x");
    settle();
    const auto waiting = wait({{}, "a"}, 1);
    checkpoint();
    for (int i = 0; i < 50; ++i)
      append({{}, "s" + std::to_string(i)}, "x");
    settle();
    checkpoint();
    append({{}, "a"}, "y");
    settle();
    CHECK(waiting->payloads() == payloads{"y"});
  }

  // -- lists -----------------------------------------------------------------

  TEST_CASE_FIXTURE(table_fixture,
                    "a list merges memory and catalog, as in a model") {
    settings.record_cache = 10;
    start();
    std::mt19937_64 random{31};
    std::set<std::string> model;
    for (int round = 0; round < 400; ++round) {
      const auto name = std::string(1 + random() % 3, 'x')
                        + std::to_string(random() % 60);
      if (model.contains(name) && random() % 2 == 0) {
        control(write_kind::remove, {{}, name});
        model.erase(name);
      } else {
        append({{}, name}, "x");
        model.insert(name);
      }
      settle();
      if (random() % 10 == 0)
        checkpoint();
      buffered({{}, "unborn" + std::to_string(round)}, "x");
      REQUIRE(list("x") == payloads(model.begin(), model.end()));
      const auto after = "x" + std::to_string(random() % 60);
      payloads page;
      for (auto at = model.upper_bound(after);
           at != model.end() && page.size() < 7; ++at)
        page.push_back(*at);
      REQUIRE(list("x", after, 7) == page);
    }
    REQUIRE(model.size() > 20);
    payloads paged;
    for (std::string last;;) {
      const auto page = list("x", last, 3);
      paged.insert(paged.end(), page.begin(), page.end());
      if (page.size() < 3)
        break;
      last = page.back();
    }
    CHECK(paged == payloads(model.begin(), model.end()));
    CHECK(list("xx").size() + list("xxx").size() > 0);
    CHECK(list("y").empty());
    CHECK(list("x", "y").empty());
    CHECK(list("x", {}, 0).empty());
  }

  TEST_CASE_FIXTURE(started,
                    "a list is in byte order, with ids to go on with") {
    for (const auto* name : {"b", "a", "\xc3\xa4", "Z", "a/", "a!"}) {
      append({{}, name}, name);
      settle();
      if (*name == 'a')
        checkpoint();
    }
    CHECK(list() == payloads{"Z", "a", "a!", "a/", "b", "\xc3\xa4"});
    CHECK(list("a") == payloads{"a", "a!", "a/"});
    CHECK(list("a", "a!") == payloads{"a/"});
    const auto found = table->records().list({}, {}, 10);
    for (const auto& [name, id] : *found)
      CHECK(read({id, {}})->payloads() == payloads{name});
  }

  TEST_CASE_FIXTURE(started, "a stream that was made anew is listed once") {
    append({{}, "a"}, "old");
    settle();
    checkpoint();
    control(write_kind::remove, {{}, "a"});
    settle();
    CHECK(list().empty());
    append({{}, "a"}, "new");
    CHECK(list().empty());
    settle();
    CHECK(list() == payloads{"a"});
    checkpoint();
    CHECK(list() == payloads{"a"});
    CHECK(read({{}, "a"})->payloads() == payloads{"new"});
  }
}
