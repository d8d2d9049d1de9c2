// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "tests/support/table_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

struct started : table_fixture {
  started() { start(); }

  write_answer typed(std::string_view type, std::string_view payload = "x") {
    append_options how;
    how.content_type = type;
    return append({{}, "a"}, payload, how);
  }

  write_answer ordered(std::string_view order) {
    append_options how;
    how.order = order;
    return append({{}, "a"}, "x", how);
  }

  write_answer produced(std::uint64_t number, const payloads& entries,
                        bool closes) {
    append_options how;
    how.producer = producer{"p", 0, number};
    how.closes = closes;
    return append_all({{}, "a"}, entries, how);
  }
};

} // namespace

TEST_SUITE("stream_table_append") {
  // -- existence -------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "an append that may not make a stream says so") {
    append_options how;
    how.creates = false;
    CHECK(append({{}, "a"}, "x", how)->code() == errc::not_found);
    how.producer = producer{"p", 0, 7};
    CHECK(append({{}, "a"}, "x", how)->code() == errc::not_found);
    CHECK(list().empty());
  }

  // -- create with entries ---------------------------------------------------

  TEST_CASE_FIXTURE(started, "a stream is made with its first entries") {
    const auto made = create("a", create_options{}, {"x", "y"});
    CHECK(flights.size() == 1);
    settle();
    CHECK(made->first() == 0);
    CHECK(made->outcome.count == 2);
    CHECK(read({{}, "a"})->payloads() == payloads{"x", "y"});
  }

  TEST_CASE_FIXTURE(started, "a stream can be made closed") {
    create_options how;
    how.closes = true;
    const auto made = create("a", how, {"x"});
    CHECK(made->done == false);
    CHECK(late(append({{}, "a"}, "y"))->code() == errc::closed);
    CHECK(made->outcome.closed);
    CHECK(info({{}, "a"}).closed);
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
  }

  TEST_CASE_FIXTURE(started, "a stream whose entries are too large is not made") {
    CHECK(create("a", create_options{},
                 {std::string((16u << 20) + 1, 'x')})->code()
          == errc::too_large);
    CHECK(list().empty());
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(started, "a create counts against its tenant's share") {
    memory.tenant_bytes_max = 1000;
    start();
    CHECK(create("t/a", create_options{}, {std::string(2000, 'x')})->code()
          == errc::too_large);
    CHECK(list().empty());
    CHECK(create("t/a", create_options{}, {"x"})->done == false);
    settle();
    CHECK(used() == 0);
    CHECK(create("t/b", create_options{}, {"x"})->done == false);
  }

  // -- content type ----------------------------------------------------------

  TEST_CASE_FIXTURE(started, "an append of another content type is refused") {
    create_options how;
    how.content_type = "text/plain";
    create("a", how);
    CHECK(typed("text/plain")->done == false); // It is not durable yet.
    CHECK(typed("application/json")->code() == errc::mismatch);
    settle();
    CHECK(typed("text/html")->says("text/plain"));
    CHECK(append({{}, "a"}, "any")->done == false);
    settle();
    CHECK(info({{}, "a"}).content_type == "text/plain");
    CHECK(read({{}, "a"})->page.content_type == "text/plain");
    checkpoint();
    start();
    CHECK(info({{}, "a"}).content_type == "text/plain");
    CHECK(typed("text/html")->code() == errc::mismatch);
  }

  TEST_CASE_FIXTURE(started, "a stream without content type has none to match") {
    append({{}, "a"}, "x");
    settle();
    CHECK(typed("text/plain")->code() == errc::mismatch);
  }

  TEST_CASE_FIXTURE(started, "an append that makes a stream gives it its type") {
    typed("text/plain");
    settle();
    CHECK(info({{}, "a"}).content_type == "text/plain");
    CHECK(typed("text/plain")->done == false);
  }

  TEST_CASE_FIXTURE(started, "a content type is fit for a header") {
    create_options how;
    for (const auto* type : {"text/plain\r\nX: y", "text/\xc3\xa4", "a\x7f"}) {
      how.content_type = type;
      CHECK(create("a", how)->code() == errc::invalid_argument);
    }
    CHECK(list().empty());
  }

  TEST_CASE_FIXTURE(started, "a content type has 256 bytes at most") {
    create_options how;
    how.content_type = std::string(257, 't');
    CHECK(create("a", how)->code() == errc::too_large);
    how.content_type.pop_back();
    CHECK(create("a", how)->done == false);
  }

  // -- order -----------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "orders rise, byte by byte") {
    CHECK(ordered("b")->done == false);
    CHECK(late(ordered("b"))->code() == errc::conflict);
    CHECK(ordered("a")->code() == errc::conflict);
    CHECK(ordered("b")->code() == errc::conflict);
    CHECK(ordered("B")->code() == errc::conflict);
    CHECK(ordered("b0")->done == false);
    CHECK(append({{}, "a"}, "without")->done == false);
    settle();
    CHECK(ordered("b")->says("behind 'b0'"));
    for (const auto saved : {false, true}) {
      CAPTURE(saved);
      if (saved)
        checkpoint();
      start();
      CHECK(ordered("b0")->code() == errc::conflict);
    }
    CHECK(ordered(std::string(257, 'z'))->code() == errc::too_large);
  }

  TEST_CASE_FIXTURE(started, "a refused append leaves the order as it was") {
    append_options how;
    how.order = "b";
    how.content_type = "text/plain";
    append({{}, "a"}, "x");
    CHECK(append({{}, "a"}, "x", how)->code() == errc::mismatch);
    CHECK(ordered("a")->done == false);
  }

  TEST_CASE_FIXTURE(started, "an order that did not get on the disk is free") {
    append({{}, "a"}, "x");
    settle();
    const auto lost = ordered("b");
    refuse_flights({errc::io_failed, "the disk is full"});
    CHECK(lost->code() == errc::io_failed);
    CHECK(ordered("a")->done == false);
    settle();
  }

  // -- close -----------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "an append can close the stream, in one block") {
    append({{}, "a"}, "x");
    settle();
    const auto last = close_with({{}, "a"}, {"y"});
    CHECK(flights.size() == 1);
    CHECK_FALSE(info({{}, "a"}).closed);
    settle();
    CHECK(last->first() == 1);
    CHECK(last->outcome.closed);
    CHECK(info({{}, "a"}).closed);
    const auto late = append({{}, "a"}, "z");
    CHECK(late->code() == errc::closed);
    CHECK(late->outcome.closed);
    CHECK(late->outcome.first == sequence{2});
    CHECK(close_with({{}, "a"}, {"z"})->code() == errc::closed);
  }

  TEST_CASE_FIXTURE(started, "a close without entries can be repeated") {
    append({{}, "a"}, "x");
    CHECK(close_with({{}, "a"}, {})->done == false);
    CHECK(close_with({{}, "a"}, {})->done == false);
    settle();
    const auto again = close_with({{}, "a"}, {});
    CHECK(again->first() == 1);
    CHECK(again->outcome.closed);
    CHECK(append_all({{}, "a"}, {})->code() == errc::invalid_argument);
  }

  TEST_CASE_FIXTURE(started, "a producer's close is known when it comes again") {
    produced(0, {"x"}, false);
    const auto closing = produced(1, {}, true);
    settle();
    CHECK(closing->outcome.closed);
    for (const auto restarted : {false, true}) {
      CAPTURE(restarted);
      if (restarted)
        start();
      const auto again = produced(1, {}, true);
      CHECK(again->good());
      CHECK(again->outcome.duplicate);
      CHECK(again->outcome.closed);
      CHECK(again->outcome.producer == 1);
      CHECK(produced(2, {}, true)->code() == errc::closed);
      CHECK(produced(2, {"y"}, true)->code() == errc::closed);
    }
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
  }

  TEST_CASE_FIXTURE(started, "a close that is on its way is told where it ends") {
    append_all({{}, "a"}, {"x", "y"});
    settle();
    produced(0, {"z"}, false);
    produced(1, {}, true);
    const auto again = produced(1, {}, true);
    settle();
    CHECK(again->first() == 3);
    CHECK(again->outcome.closed);
  }

  TEST_CASE_FIXTURE(started, "a retry is not told of a close that is not durable") {
    produced(0, {"x"}, false);
    settle();
    produced(1, {"y"}, true);
    const auto again = produced(0, {"x"}, false);
    CHECK(again->good());
    CHECK_FALSE(again->outcome.closed);
    settle(); // Nor of one that lies behind what it asks for.
    CHECK_FALSE(produced(0, {"x"}, false)->outcome.closed);
    CHECK(produced(1, {"y"}, true)->outcome.closed);
  }

  TEST_CASE_FIXTURE(started, "a producer is told what it asks for") {
    const auto first = produced(0, {"x"}, false);
    settle();
    CHECK(first->outcome.producer == 0);
    const auto gap = produced(5, {"x"}, false);
    CHECK(gap->code() == errc::conflict);
    CHECK(gap->outcome.producer == 1);
    append_options newer;
    newer.producer = producer{"p", 3, 0};
    append({{}, "a"}, "x", newer);
    const auto fenced = late(produced(1, {"x"}, false));
    CHECK(fenced->code() == errc::fenced);
    CHECK(fenced->outcome.producer == 3);
  }

  TEST_CASE_FIXTURE(started, "a close renews a time to live") {
    create_options how;
    how.keep.ttl_ms = 1000;
    create("a", how);
    settle();
    retain();
    advance(900);
    close_with({{}, "a"}, {});
    settle();
    advance(900);
    settle();
    CHECK(info({{}, "a"}).closed);
    advance(200);
    settle();
    CHECK(read({{}, "a"})->code == errc::not_found);
  }

  // -- reads -----------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a read can begin at the oldest or at the tail") {
    append_all({{}, "a"}, {"x", "y", "z"});
    settle();
    truncate({{}, "a"}, 1);
    settle();
    read_options wanted;
    wanted.from = read_options::oldest;
    CHECK(read({{}, "a"}, wanted)->payloads() == payloads{"y", "z"});
    wanted = {};
    wanted.tail = true;
    const auto now = read({{}, "a"}, wanted);
    CHECK(now->payloads().empty());
    CHECK(now->page.next_from == sequence{3});
    wanted.wait = true;
    const auto coming = read({{}, "a"}, wanted);
    CHECK_FALSE(coming->done);
    append({{}, "a"}, "new");
    settle();
    CHECK(coming->payloads() == payloads{"new"});
  }
}
