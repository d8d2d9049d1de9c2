// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "tests/support/table_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

// Idempotent appends, wherever the first try is: buffered, in flight, durable,
// in the catalog.

namespace {

struct producing : table_fixture {
  producing() { start(); }

  write_answer produce(std::uint64_t number, std::uint64_t epoch = 0,
                       const std::string& id = "p",
                       torpor::ack ack = ack::durable) {
    append_options how;
    how.ack = ack;
    how.producer = producer{id, epoch, number};
    return append_all({{}, "a"},
                      {id + std::to_string(epoch) + std::to_string(number),
                       "second"},
                      how);
  }

  /// Entries of the stream that are durable.
  std::uint64_t entries() { return raw(info({{}, "a"}).next); }
};

void check_duplicate(const write_answer& answer, std::uint64_t first) {
  CHECK(answer->first() == first);
  CHECK(answer->outcome.duplicate);
  CHECK(answer->outcome.count == 2);
}

} // namespace

TEST_SUITE("stream_table_producer") {
  TEST_CASE_FIXTURE(producing, "a number is written once and answered twice") {
    const auto first = produce(0);
    settle();
    CHECK_FALSE(first->outcome.duplicate);
    const auto again = produce(0);
    check_duplicate(again, 0);
    CHECK(again->outcome.stream == first->outcome.stream);
    CHECK(entries() == 2);
    CHECK(awake.empty());
  }

  TEST_CASE_FIXTURE(producing, "a retry is answered only when it is durable") {
    produce(0);
    const auto in_flight = produce(0);
    produce(1, 0, "p", ack::buffered);
    const auto in_buffer = produce(1, 0, "p", ack::buffered);
    CHECK_FALSE(in_flight->done);
    CHECK_FALSE(in_buffer->done);
    commit();
    REQUIRE(flights.size() == 1); // The retry made it due.
    CHECK_FALSE(in_buffer->done);
    commit();
    check_duplicate(in_flight, 0);
    check_duplicate(in_buffer, 2);
    CHECK(entries() == 4);
  }

  TEST_CASE_FIXTURE(producing, "a retry of a lost append fails as it did") {
    const auto first = produce(0);
    const auto again = produce(0);
    fail({errc::io_failed, "broken"});
    CHECK(first->code() == errc::io_failed);
    CHECK(again->code() == errc::io_failed);
  }

  TEST_CASE_FIXTURE(producing, "an older epoch is fenced") {
    produce(0, 5);
    for (int state = 0; state < 2; ++state) { // In flight, then asleep.
      const auto old = produce(1, 4);
      settle();
      CHECK(old->code() == errc::fenced);
      CHECK(old->says("epoch is now 5"));
    }
    CHECK(entries() == 2);
  }

  TEST_CASE_FIXTURE(producing, "a gap is a conflict that names the number") {
    CHECK(produce(1)->says("expected number 0"));
    CHECK(list().empty());
    produce(0);
    const auto gap = late(produce(2));
    CHECK(gap->code() == errc::conflict);
    CHECK(gap->says("expected number 1"));
    CHECK(produce(7)->says("expected number 1"));
    CHECK(entries() == 2);
  }

  TEST_CASE_FIXTURE(producing, "a new epoch begins at number 0") {
    produce(0);
    produce(1);
    settle();
    CHECK(produce(2, 1)->says("expected number 0"));
    const auto fresh = produce(0, 1);
    settle();
    CHECK(fresh->first() == 4);
    CHECK_FALSE(fresh->outcome.duplicate);
    check_duplicate(produce(0, 1), 4);
  }

  TEST_CASE_FIXTURE(producing, "the last five answers are kept") {
    for (std::uint64_t number = 0; number < 12; ++number) {
      produce(number);
      if (number % 3 == 0)
        settle();
    }
    settle();
    for (std::uint64_t number = 7; number < 12; ++number)
      check_duplicate(produce(number), number * 2);
    // That one was written, nobody knows where.
    const auto old = produce(6);
    CHECK(old->good());
    CHECK(old->outcome.duplicate);
    CHECK(old->outcome.count == 0);
    CHECK(old->outcome.producer == 11);
    CHECK(entries() == 24);
  }

  TEST_CASE_FIXTURE(producing, "producers of one stream are kept apart") {
    produce(0, 0, "p");
    produce(0, 3, "q");
    produce(1, 0, "p");
    settle();
    check_duplicate(produce(0, 3, "q"), 2);
    check_duplicate(produce(1, 0, "p"), 4);
    CHECK(info({{}, "a"}).producers == 2);
  }

  TEST_CASE_FIXTURE(producing, "answers from before and after a sleep count") {
    produce(0);
    produce(1);
    settle(); // Sleeps and wakes.
    produce(2);
    check_duplicate(produce(1), 2);
    const auto flying = produce(2);
    CHECK_FALSE(flying->done);
    settle();
    check_duplicate(flying, 4);
    check_duplicate(produce(0), 0);
  }

  TEST_CASE_FIXTURE(producing, "a restart remembers producers") {
    for (std::uint64_t number = 0; number < 3; ++number)
      produce(number, 2);
    settle();
    const auto check = [this] {
      check_duplicate(produce(0, 2), 0);
      check_duplicate(produce(2, 2), 4);
      CHECK(produce(0, 1)->code() == errc::fenced);
      CHECK(produce(4, 2)->says("expected number 3"));
      CHECK(entries() == 6);
    };
    start(); // From the journal.
    check();
    checkpoint();
    start(); // From the catalog.
    check();
    produce(3, 2);
    settle();
    start(); // From both.
    check_duplicate(produce(3, 2), 6);
  }

  TEST_CASE_FIXTURE(producing, "an unsynced append is forgotten by a restart") {
    produce(0);
    settle();
    produce(1);
    start();
    CHECK_FALSE(produce(1)->done);
    settle();
    CHECK(entries() == 4);
    check_duplicate(produce(1), 2);
  }

  TEST_CASE_FIXTURE(producing, "the 257th producer pushes out the idlest") {
    for (int i = 0; i < 256; ++i)
      produce(0, 0, "q" + std::to_string(i));
    settle();
    produce(1, 0, "q0");
    produce(0, 0, "new");
    settle();
    CHECK(info({{}, "a"}).producers == 256);
    check_duplicate(produce(1, 0, "q0"), 512);
    CHECK(produce(1, 0, "q1")->says("expected number 0"));
    CHECK_FALSE(produce(1, 0, "q2")->done);
  }

  TEST_CASE_FIXTURE(producing,
                    "a producer pushed out while buffered writes nothing "
                    "twice") {
    produce(0, 0, "p");
    settle();
    produce(1, 0, "p");
    for (int i = 0; i < 256; ++i)
      produce(0, 0, "q" + std::to_string(i), ack::buffered);
    // Forgotten as it will be after the commit, not known by its older state.
    const auto retry = late(produce(1, 0, "p"));
    CHECK(retry->code() == errc::conflict);
    advance(5000);
    settle();
    CHECK(entries() == 2 * (2 + 256));
  }

  TEST_CASE_FIXTURE(producing,
                    "a busy stream remembers 256 producers at most") {
    for (int i = 0; i < 256; ++i)
      produce(0, 0, "old" + std::to_string(i));
    settle();
    // All these come before the next commit.
    for (int i = 0; i < 256; ++i)
      produce(0, 0, "new" + std::to_string(i), ack::buffered);
    for (int i = 0; i < 256; ++i) {
      const auto id = std::to_string(i);
      REQUIRE(produce(1, 0, "old" + id, ack::buffered)->says("number 0"));
      REQUIRE(produce(2, 0, "new" + id, ack::buffered)->says("number 1"));
    }
    advance(5000);
    settle();
    CHECK(info({{}, "a"}).producers == 256);
  }

  TEST_CASE_FIXTURE(producing, "a retry to a closed stream gets its answer") {
    produce(0);
    control(write_kind::close, {{}, "a"});
    settle();
    check_duplicate(produce(0), 0);
    CHECK(produce(1)->code() == errc::closed);
  }

  TEST_CASE_FIXTURE(producing, "a retry does not look at the expected place") {
    append_options how;
    how.producer = producer{"p", 0, 0};
    how.expected_next = sequence{0};
    append({{}, "a"}, "x", how);
    settle();
    const auto again = append({{}, "a"}, "x", how);
    CHECK(again->first() == 0);
    CHECK(again->outcome.duplicate);
  }

  TEST_CASE_FIXTURE(producing, "a removed stream's producers are gone too") {
    produce(0);
    produce(1);
    settle();
    control(write_kind::remove, {{}, "a"});
    settle();
    CHECK(produce(2)->says("expected number 0"));
    const auto fresh = produce(0);
    settle();
    CHECK(fresh->first() == 0);
    CHECK_FALSE(fresh->outcome.duplicate);
  }
}
