// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "tests/support/table_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;
using namespace std::chrono_literals;

namespace {

struct started : table_fixture {
  started() { start(); }
};

} // namespace

TEST_SUITE("stream_table") {
  TEST_CASE_FIXTURE(started, "an append is answered when it is durable") {
    const auto answer = append({{}, "a"}, "x");
    CHECK_FALSE(answer->done);
    CHECK(awake.size() == 1);
    REQUIRE(flights.size() == 1);
    commit();
    CHECK(answer->good());
    CHECK(answer->outcome.count == 1);
    CHECK(answer->outcome.stream != stream_id{});
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
  }

  TEST_CASE_FIXTURE(started, "a buffered append is answered at once") {
    const auto answer = buffered({{}, "a"}, "x");
    CHECK(answer->good());
    CHECK(flights.empty());
    CHECK(awake.size() == 1);
  }

  TEST_CASE_FIXTURE(started, "a stream with nothing left is a record again") {
    for (int i = 0; i < 100; ++i)
      append({{}, "s" + std::to_string(i)}, "x");
    CHECK(awake.size() == 100);
    settle();
    CHECK(awake.empty());
    CHECK_FALSE(info({{}, "s7"}).awake);
    append({{}, "s7"}, "y");
    CHECK(info({{}, "s7"}).awake);
    settle();
    CHECK(awake.empty());
    CHECK(table->stats().awake == 0);
    CHECK(table->stats().wakes == 101);
    CHECK(table->stats().hibernates == 101);
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(started,
                    "an append that comes while its stream is synced is kept") {
    const auto first = append({{}, "a"}, "x");
    const auto second = append({{}, "a"}, "y");
    CHECK(flights.size() == 1);
    commit();
    CHECK(first->good());
    CHECK_FALSE(second->done);
    CHECK(awake.size() == 1);
    REQUIRE(flights.size() == 1);
    commit();
    CHECK(second->first() == 1);
    CHECK(awake.empty());
    CHECK(read({{}, "a"})->payloads() == payloads{"x", "y"});
  }

  TEST_CASE_FIXTURE(started, "a stream keeps its order however syncs fall") {
    payloads all;
    std::vector<write_answer> answers;
    for (int i = 0; i < 50; ++i) {
      all.push_back(std::to_string(i));
      answers.push_back(i % 3 == 0 ? buffered({{}, "a"}, all.back())
                                   : append({{}, "a"}, all.back()));
      if (i % 7 == 0)
        commit();
    }
    settle();
    advance(5000);
    settle();
    CHECK(read({{}, "a"})->payloads() == all);
    for (std::size_t i = 0; i < answers.size(); ++i)
      CHECK(answers[i]->first() == i);
  }

  TEST_CASE_FIXTURE(started, "appends that wait together share one sync") {
    append({{}, "a"}, "0");
    std::vector<write_answer> answers;
    for (int i = 1; i < 100; ++i)
      answers.push_back(append({{}, "a"}, std::to_string(i)));
    commit();
    REQUIRE(flights.size() == 1);
    CHECK(flights[0]->builder.count() == 99);
    commit();
    for (const auto& answer : answers)
      CHECK(answer->good());
    CHECK(table->stats().blocks == 2);
  }

  TEST_CASE_FIXTURE(started, "streams commit in any order") {
    const auto a = append({{}, "a"}, "x");
    const auto b = append({{}, "b"}, "y");
    std::swap(flights[0], flights[1]);
    commit(1);
    CHECK(b->good());
    CHECK_FALSE(a->done);
    commit(1);
    CHECK(a->good());
  }

  TEST_CASE_FIXTURE(started, "a batch for many streams answers each request") {
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, "a"});
    batch->add(as_bytes("1"));
    batch->add(as_bytes("2"));
    batch->append({{}, ""});
    batch->add(as_bytes("nobody's"));
    batch->append({{}, "b"});
    batch->add(as_bytes("3"), {{"k", "v"}});
    batch->append({{}, "a"});
    batch->add(as_bytes("4"));
    const auto answers = send(std::move(batch));
    CHECK_FALSE(answers[1]->done); // All come together.
    settle();
    CHECK(answers[0]->first() == 0);
    CHECK(answers[0]->outcome.count == 2);
    CHECK(answers[1]->code() == errc::invalid_argument);
    CHECK(answers[2]->first() == 0);
    CHECK(answers[3]->first() == 2);
    CHECK(read({{}, "a"})->payloads() == payloads{"1", "2", "4"});
    const auto b = read({{}, "b"});
    CHECK(b->payloads() == payloads{"3"});
    CHECK(b->page.entries[0].properties()
          == std::vector<property>{{"k", "v"}});
  }

  TEST_CASE_FIXTURE(started, "an empty batch comes back at once") {
    CHECK(send(std::make_unique<write_batch>()).empty());
    CHECK(used() == 0);
  }

  // -- due -------------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "buffered entries are due after max-delay") {
    buffered({{}, "a"}, "x");
    advance(3000);
    buffered({{}, "a"}, "y"); // Does not begin anew.
    advance(1999);
    CHECK(flights.empty());
    advance(1);
    REQUIRE(flights.size() == 1);
    CHECK(flights[0]->builder.count() == 2);
    commit();
    CHECK(awake.empty());
    advance(100'000);
    CHECK(flights.empty());
  }

  TEST_CASE_FIXTURE(started, "each buffer has a deadline of its own") {
    buffered({{}, "a"}, "x");
    advance(1000);
    append({{}, "a"}, "y"); // Takes x with it.
    commit();
    advance(1000);
    buffered({{}, "a"}, "z");
    advance(3000); // x would be due now.
    CHECK(flights.empty());
    advance(1999);
    CHECK(flights.empty());
    advance(1);
    CHECK(flights.size() == 1);
  }

  TEST_CASE_FIXTURE(started,
                    "a deadline stands when its stream slept in between") {
    settings.record_cache = 0;
    start();
    buffered({{}, "a"}, "x");
    control(write_kind::sync, {{}, "a"});
    settle();
    checkpoint();
    buffered({{}, "b"}, "pushes a out");
    advance(1000);
    buffered({{}, "a"}, "y");
    advance(4999);
    CHECK(flying().size() == 1); // b.
    settle();
    advance(1);
    CHECK(flying().size() == 1); // a.
    settle();
    CHECK(read({{}, "a"})->payloads() == payloads{"x", "y"});
  }

  TEST_CASE_FIXTURE(table_fixture, "a full buffer is due at once") {
    settings.sync.max_bytes = 4096;
    start();
    const std::string payload(1000, 'x');
    for (int i = 0; i < 4; ++i)
      buffered({{}, "a"}, payload);
    CHECK(flights.empty());
    buffered({{}, "a"}, payload);
    CHECK(flights.size() == 1);
  }

  TEST_CASE_FIXTURE(table_fixture, "a durable append waits for its linger") {
    settings.sync.linger = 10ms;
    start();
    const auto x = append({{}, "a"}, "x");
    advance(9);
    append({{}, "a"}, "y");
    CHECK(flights.empty());
    advance(1);
    REQUIRE(flights.size() == 1);
    CHECK(flights[0]->builder.count() == 2);
    commit();
    CHECK(x->good());
  }

  TEST_CASE_FIXTURE(table_fixture, "a linger ends before a later max-delay") {
    settings.sync.linger = 10ms;
    start();
    buffered({{}, "a"}, "x");
    append({{}, "a"}, "y");
    advance(10);
    CHECK(flights.size() == 1);
    commit();
    advance(10'000); // The first deadline finds nothing.
    CHECK(flights.empty());
    CHECK(awake.empty());
  }

  TEST_CASE_FIXTURE(started, "a deadline that comes while syncing is kept") {
    append({{}, "a"}, "x");
    buffered({{}, "a"}, "y");
    advance(5000);
    CHECK(flights.size() == 1);
    commit();
    REQUIRE(flights.size() == 1);
    CHECK(flights[0]->builder.count() == 1);
    commit();
    CHECK(awake.empty());
  }

  TEST_CASE_FIXTURE(started, "what is not due yet waits behind a commit") {
    append({{}, "a"}, "x");
    buffered({{}, "a"}, "y");
    commit();
    CHECK(flights.empty());
    CHECK(awake.size() == 1);
    advance(5000);
    CHECK(flights.size() == 1);
  }

  TEST_CASE_FIXTURE(started, "a due nobody asked for changes nothing") {
    const auto id = append({{}, "a"}, "x");
    settle();
    buffered({{}, "b"}, "y");
    const auto b = info({id->outcome.stream, {}}).id;
    table->due({b, stream_id{12345}, stream_id{}});
    flush();
    CHECK(flights.empty());
    table->due({});
    flush();
    advance(5000);
    CHECK(flights.size() == 1);
  }

  TEST_CASE_FIXTURE(started, "a due that comes too early is waited out") {
    const auto id = buffered({{}, "a"}, "x")->outcome.stream;
    advance(1000);
    table->due({id, id});
    flush();
    CHECK(flights.empty());
    advance(4000);
    CHECK(flights.size() == 1);
  }

  TEST_CASE_FIXTURE(started, "a stream's own policy goes before the store's") {
    create("a", {.max_delay_ms = 100, .max_bytes = 4096, .linger_ms = 20});
    settle();
    append({{}, "a"}, "x");
    CHECK(flights.empty());
    advance(20);
    CHECK(flights.size() == 1);
    settle();
    buffered({{}, "a"}, "y");
    advance(99);
    CHECK(flights.empty());
    advance(1);
    CHECK(flights.size() == 1);
    settle();
    buffered({{}, "a"}, std::string(4096, 'z'));
    CHECK(flights.size() == 1);
    settle();
    // And only for that stream.
    append({{}, "b"}, "x");
    CHECK(flights.size() == 1);
  }

  TEST_CASE_FIXTURE(started, "a policy is durable, replaceable and survives") {
    create("a", {.max_delay_ms = 100});
    settle();
    const auto changed = set_policy({{}, "a"}, {.linger_ms = 30});
    CHECK_FALSE(changed->done);
    settle();
    CHECK(changed->good());
    CHECK(info({{}, "a"}).policy == sync_policy{.linger_ms = 30});
    start();
    CHECK(info({{}, "a"}).policy == sync_policy{.linger_ms = 30});
    checkpoint();
    start();
    CHECK(info({{}, "a"}).policy == sync_policy{.linger_ms = 30});
    append({{}, "a"}, "x");
    CHECK(flights.empty());
    advance(30);
    CHECK(flights.size() == 1);
  }

  TEST_CASE_FIXTURE(started, "a policy out of its range is refused") {
    CHECK(create("a", {.linger_ms = 1001})->code() == errc::invalid_argument);
    CHECK(list().empty());
    create("a");
    settle();
    CHECK(set_policy({{}, "a"}, {.max_bytes = 1})->code()
          == errc::invalid_argument);
    CHECK(awake.empty());
    CHECK(set_policy({{}, "b"}, {})->code() == errc::not_found);
  }

  // -- sync ------------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a sync makes durable what was buffered before") {
    buffered({{}, "a"}, "x");
    const auto answer = control(write_kind::sync, {{}, "a"});
    CHECK_FALSE(answer->done);
    REQUIRE(flights.size() == 1);
    buffered({{}, "a"}, "y");
    commit();
    CHECK(answer->good());
    CHECK(flights.empty()); // y was not asked for.
  }

  TEST_CASE_FIXTURE(started, "a sync waits for the block in flight as well") {
    append({{}, "a"}, "x");
    const auto alone = control(write_kind::sync, {{}, "a"});
    CHECK_FALSE(alone->done);
    buffered({{}, "a"}, "y");
    const auto behind = control(write_kind::sync, {{}, "a"});
    commit();
    CHECK(alone->good());
    CHECK_FALSE(behind->done);
    commit();
    CHECK(behind->good());
  }

  TEST_CASE_FIXTURE(started,
                    "a sync of a sleeping stream is answered at once") {
    append({{}, "a"}, "x");
    settle();
    CHECK(control(write_kind::sync, {{}, "a"})->good());
    CHECK(awake.empty());
    CHECK(control(write_kind::sync, {{}, "b"})->code() == errc::not_found);
  }

  TEST_CASE_FIXTURE(started, "a sync of all waits for every stream") {
    buffered({{}, "a"}, "x");
    append({{}, "b"}, "y");
    append({{}, "c"}, "y");
    buffered({{}, "c"}, "z");
    const auto answer = control(write_kind::sync, {});
    CHECK(flights.size() == 3);
    commit();
    CHECK_FALSE(answer->done); // c has a second block.
    CHECK(flights.size() == 1);
    commit();
    CHECK(answer->good());
    CHECK(awake.empty());
    CHECK(control(write_kind::sync, {})->good());
  }

  // -- window ----------------------------------------------------------------

  TEST_CASE_FIXTURE(table_fixture, "never more syncs are out than the window") {
    settings.sync.window = 3;
    start(); // The fixture looks at each launch.
    std::vector<write_answer> answers;
    for (int i = 0; i < 20; ++i)
      answers.push_back(append({{}, "s" + std::to_string(i)}, "x"));
    CHECK(flights.size() == 3);
    commit(1);
    CHECK(flights.size() == 3);
    commit(2);
    CHECK(flights.size() == 3);
    settle();
    for (const auto& answer : answers)
      CHECK(answer->good());
    CHECK(awake.empty());
  }

  TEST_CASE_FIXTURE(table_fixture, "a busy stream does not starve the others") {
    settings.sync.window = 1;
    start();
    append({{}, "busy"}, "x");
    append({{}, "busy"}, "y");
    const auto other = append({{}, "other"}, "z");
    commit(); // busy is due again, behind the other.
    commit();
    CHECK(other->good());
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "entries that come while a stream is queued go along") {
    settings.sync.window = 1;
    start();
    append({{}, "a"}, "x");
    append({{}, "b"}, "y");
    append({{}, "b"}, "z");
    commit();
    REQUIRE(flights.size() == 1);
    CHECK(flights[0]->builder.count() == 2);
    settle();
    CHECK(awake.empty());
  }

  // -- time stamps -----------------------------------------------------------

  TEST_CASE_FIXTURE(started, "time stamps never decrease when the clock does") {
    clock.wall = 5000;
    append({{}, "a"}, "1");
    clock.wall = 3000;
    append({{}, "a"}, "2"); // While the first is in flight.
    settle();
    clock.wall = 4000;
    append({{}, "a"}, "3"); // After it slept.
    settle();
    checkpoint();
    start();
    clock.wall = 1000;
    append({{}, "a"}, "4"); // After a restart.
    settle();
    clock.wall = 6000;
    append({{}, "a"}, "5");
    settle();
    const auto page = read({{}, "a"});
    std::vector<std::int64_t> times;
    for (const auto& entry : page->page.entries)
      times.push_back(entry.time_ms);
    CHECK(times == std::vector<std::int64_t>{5000, 5000, 5000, 5000, 6000});
    CHECK(info({{}, "a"}).last_ms == 6000);
  }

  TEST_CASE_FIXTURE(started, "a clock before 1970 counts as 1970") {
    clock.wall = -5;
    append({{}, "a"}, "x");
    settle();
    CHECK(read({{}, "a"})->page.entries.at(0).time_ms == 0);
  }

  // -- restart ---------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a restart sees what was running") {
    create("a", {.max_delay_ms = 9});
    for (int i = 0; i < 5; ++i) {
      append({{}, "a"}, std::to_string(i));
      append({{}, "gone"}, "x");
      settle();
      if (i == 2)
        checkpoint();
    }
    control(write_kind::close, {{}, "a"});
    control(write_kind::remove, {{}, "gone"});
    buffered({{}, "lost"}, "never synced");
    settle();
    const auto before = info({{}, "a"});
    start();
    const auto after = info({{}, "a"});
    CHECK(after.id == before.id);
    CHECK(after.next == before.next);
    CHECK(after.last_ms == before.last_ms);
    CHECK(after.closed);
    CHECK(after.policy == before.policy);
    CHECK(list() == payloads{"a"});
    CHECK(read({{}, "a"})->payloads() == payloads{"0", "1", "2", "3", "4"});
  }

  TEST_CASE_FIXTURE(started, "the figures count what happened") {
    append_all({{}, "a"}, {"12", "345"});
    append({{}, ""}, "refused");
    settle();
    wait({{}, "a"}, 2);
    const auto stats = table->stats();
    CHECK(stats.appends == 2);
    CHECK(stats.acked_bytes == 5);
    CHECK(stats.blocks == 1);
    CHECK(stats.indexed_blocks == 1);
    CHECK(stats.refused == 1);
    CHECK(stats.records == 1);
    CHECK(stats.parked_reads == 1);
  }
}
