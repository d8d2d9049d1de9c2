// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "tests/support/table_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

// Lost durability, a full disk, and the end.

namespace {

const error broken{errc::io_failed, "pwrite 'journal/1': Input/output error"};
const error disk_full{errc::io_failed, "pwrite 'journal/1': No space left"};

class code_sink final : public write_sink {
public:
  void done(std::unique_ptr<write_batch> batch) override {
    code = batch->outcome(0).code;
  }
  errc code{};
};

struct started : table_fixture {
  started() { start(); }

  void stop() {
    table->shut_down([this] { ++quiet; });
    flush();
  }

  int quiet = 0;
};

} // namespace

TEST_SUITE("stream_table_failure") {
  // -- lost durability -------------------------------------------------------

  TEST_CASE_FIXTURE(started, "everybody who waits learns of a failure") {
    const auto flying = append({{}, "a"}, "x");
    const auto behind = append({{}, "a"}, "y");
    const auto syncing = control(write_kind::sync, {});
    const auto made = create("b");
    const auto closing = control(write_kind::close, {{}, "b"});
    fail(broken);
    for (const auto& answer : {flying, behind, syncing, made, closing}) {
      CHECK(answer->code() == errc::io_failed);
      CHECK(answer->says("Input/output error"));
    }
    CHECK(awake.empty());
    CHECK(flights.empty());
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(started,
                    "after a failure writes are refused, reads go on") {
    append_all({{}, "a"}, {"1", "2"});
    settle();
    append({{}, "a"}, "lost");
    append({{}, "unborn"}, "lost");
    fail(broken);
    for (const auto& answer :
         {append({{}, "a"}, "x"), append({{}, "b"}, "x"), create("c"),
          control(write_kind::remove, {{}, "a"}),
          control(write_kind::close, {{}, "a"}),
          control(write_kind::sync, {}), set_policy({{}, "a"}, {})})
      CHECK(answer->code() == errc::io_failed);
    CHECK(used() == 0);
    CHECK(read({{}, "a"})->payloads() == payloads{"1", "2"});
    CHECK(info({{}, "a"}).next == sequence{2});
    CHECK(list() == payloads{"a"});
    CHECK_FALSE(table->info({{}, "unborn"}));
  }

  TEST_CASE_FIXTURE(started, "blocks may fail in several reports") {
    std::vector<write_answer> answers;
    for (int i = 0; i < 5; ++i) {
      const auto name = "s" + std::to_string(i);
      answers.push_back(append({{}, name}, "x"));
      answers.push_back(append({{}, name}, "y"));
    }
    fail(broken, 2);
    CHECK(awake.size() == 3); // Their blocks are still on their way.
    fail(broken, 1);
    fail(broken);
    CHECK(awake.empty());
    for (const auto& answer : answers)
      CHECK(answer->code() == errc::io_failed);
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(table_fixture, "queued streams fail without being synced") {
    settings.sync.window = 1;
    start();
    append({{}, "a"}, "x");
    const auto queued = append({{}, "b"}, "y");
    fail(broken);
    CHECK(queued->code() == errc::io_failed);
    CHECK(flights.empty());
    CHECK(awake.empty());
  }

  TEST_CASE_FIXTURE(started, "a failure without blocks stops writes too") {
    const auto waiting = buffered({{}, "a"}, "x");
    CHECK(waiting->good());
    table->failed({}, broken);
    flush();
    CHECK(append({{}, "a"}, "y")->code() == errc::io_failed);
    CHECK(awake.empty());
    advance(10'000); // Its deadline finds nothing.
    CHECK(flights.empty());
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(started, "a failed store still shuts down") {
    append({{}, "a"}, "x");
    fail(broken);
    stop();
    CHECK(quiet == 1);
  }

  // -- full disk -------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a full disk refuses appends and creates only") {
    append({{}, "a"}, "x");
    append({{}, "b"}, "x");
    buffered({{}, "c"}, "x");
    append({{}, "d"}, "x");
    settle();
    table->full(&disk_full);
    CHECK(append({{}, "a"}, "y")->says("No space left"));
    CHECK(append({{}, "new"}, "y")->code() == errc::io_failed);
    CHECK(create("new")->code() == errc::io_failed);
    const auto closed = control(write_kind::close, {{}, "a"});
    const auto ended = close_with({{}, "d"}, {});
    CHECK(close_with({{}, "d"}, {"y"})->code() == errc::io_failed);
    const auto removed = control(write_kind::remove, {{}, "b"});
    const auto synced = control(write_kind::sync, {{}, "c"});
    const auto changed = set_policy({{}, "a"}, {.linger_ms = 1});
    settle();
    CHECK(closed->good());
    CHECK(ended->good());
    CHECK(removed->good());
    CHECK(synced->good());
    CHECK(changed->good());
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
    CHECK(list() == payloads{"a", "c", "d"});
    table->full(nullptr);
    CHECK(buffered({{}, "c"}, "y")->good());
    CHECK(used() > 0);
    advance(5000);
    settle();
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(started,
                    "what found no room fails, changes nothing and may be "
                    "repeated") {
    append({{}, "a"}, "x");
    settle();
    const auto known = append({{}, "a"}, "y");
    const auto fresh = append({{}, "new"}, "y");
    refuse_flights(disk_full);
    CHECK(known->says("No space left"));
    CHECK(fresh->code() == errc::io_failed);
    CHECK(used() == 0);
    CHECK(awake.empty());
    CHECK(list() == payloads{"a"});
    const auto again = append({{}, "a"}, "y");
    settle();
    CHECK(again->first() == 1);
    const auto later = append({{}, "new"}, "y");
    settle();
    CHECK(later->first() == 0);
  }

  TEST_CASE_FIXTURE(started,
                    "what was acknowledged as buffered waits for room") {
    const auto first = append({{}, "a"}, "x");
    buffered({{}, "a"}, "y"); // Behind the block that finds no room.
    const auto last = append({{}, "a"}, "z"); // With it.
    refuse_flights(disk_full);
    CHECK(first->says("No space left")); // Nobody waits for room.
    CHECK(last->says("No space left"));
    settle();
    advance(5000);
    settle();
    CHECK(read({{}, "a"})->payloads() == payloads{"x", "y", "z"});
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(started, "retries are answered on a full disk") {
    append_options how;
    how.producer = producer{"p", 0, 0};
    append({{}, "a"}, "x", how);
    settle();
    table->full(&disk_full);
    CHECK(append({{}, "a"}, "x", how)->outcome.duplicate);
  }

  // -- end -------------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a table without work is quiet at once") {
    stop();
    CHECK(quiet == 1);
  }

  TEST_CASE_FIXTURE(started, "a shut-down makes all durable and then calls") {
    const auto waiting = append({{}, "a"}, "x");
    buffered({{}, "a"}, "y");
    buffered({{}, "b"}, "z");
    stop();
    CHECK(quiet == 0);
    commit(); // a's first block and b.
    CHECK(quiet == 0);
    commit();
    CHECK(quiet == 1);
    CHECK(waiting->good());
    CHECK(awake.empty());
    CHECK(used() == 0);
    start();
    CHECK(read({{}, "a"})->payloads() == payloads{"x", "y"});
    CHECK(read({{}, "b"})->payloads() == payloads{"z"});
  }

  TEST_CASE_FIXTURE(started, "while stopping writes are refused, reads go on") {
    append({{}, "a"}, "x");
    stop();
    CHECK(append({{}, "a"}, "y")->code() == errc::shut_down);
    CHECK(create("b")->code() == errc::shut_down);
    CHECK(control(write_kind::sync, {})->code() == errc::shut_down);
    settle();
    CHECK(quiet == 1);
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
  }

  TEST_CASE_FIXTURE(started, "waiting reads end with the table") {
    append({{}, "a"}, "x");
    settle();
    const auto waiting = wait({{}, "a"}, 1, 7);
    stop();
    REQUIRE(waiting->done);
    CHECK(waiting->code == errc::shut_down);
    CHECK(wait({{}, "a"}, 1)->code == errc::shut_down);
    table->cancel(7);
    CHECK(table->stats().parked_reads == 0);
  }

  TEST_CASE_FIXTURE(started, "a failure while stopping ends the waiting") {
    const auto waiting = append({{}, "a"}, "x");
    stop();
    fail(broken);
    CHECK(waiting->code() == errc::io_failed);
    CHECK(quiet == 1);
  }

  TEST_CASE_FIXTURE(started, "a table that just ends answers who waits") {
    auto batch = std::make_unique<write_batch>();
    code_sink answers;
    batch->sink(&answers);
    batch->append({{}, "a"});
    batch->add(as_bytes("x"));
    table->write(std::move(batch));
    table.reset();
    CHECK(answers.code == errc::shut_down);
  }
}
