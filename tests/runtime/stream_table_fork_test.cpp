// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "tests/support/table_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

read_options from(sequence first, std::uint32_t count_max = 1000) {
  read_options wanted;
  wanted.from = first;
  wanted.count_max = count_max;
  return wanted;
}

struct forked : table_fixture {
  forked() {
    start();
    retain();
    append_all({{}, "source"}, {"a", "b", "c"});
    settle();
  }

  /// Pins the source and makes the fork, as actors/fork does.
  write_answer fork(std::string_view name, std::string_view source,
                    std::uint64_t at, const payloads& entries = {}) {
    const auto pinned = pin({{}, source}, at, name);
    settle();
    REQUIRE(pinned->good());
    const auto& outcome = pinned->outcome;
    create_options how;
    how.origin = {outcome.stream, sequence{at}, 0, outcome.producer};
    auto made = create(name, how, entries);
    settle();
    table->settle_pin({outcome.stream, outcome.producer, std::string{name}});
    return made;
  }

  void remove(std::string_view name) {
    const auto gone = control(write_kind::remove, {{}, name});
    settle();
    CHECK(gone->good());
  }

  /// Takes the pins out that the table says are not needed any more.
  void take_unpins() {
    while (!unpins.empty())
      for (const auto& each : std::exchange(unpins, {})) {
        unpin({each.source, {}}, each.number);
        settle();
      }
  }

  /// Looks after the forks that the table doubts.
  void answer_doubts() {
    for (const auto& each : std::exchange(doubts, {}))
      if (!table->needs(each)) {
        unpin({each.source, {}}, each.number);
        settle();
      }
  }

  payloads all(std::string_view name) {
    payloads found;
    for (auto next = read_options::oldest;;) {
      const auto page = read({{}, name}, from(next));
      for (const auto& payload : page->payloads())
        found.push_back(payload);
      if (page->page.next_from == page->page.next)
        return found;
      next = page->page.next_from;
    }
  }
};

} // namespace

TEST_SUITE("stream_table_fork") {
  TEST_CASE_FIXTURE(forked, "a page says that it ends where the fork left its source") {
    CHECK(fork("fork", "source", 2, {"own"})->good());
    const auto whole = read({{}, "fork"}, from(sequence{0}));
    CHECK(whole->payloads() == payloads{"a", "b"});
    CHECK(whole->page.joint);
    const auto part = read({{}, "fork"}, from(sequence{0}, 1));
    CHECK(part->payloads() == payloads{"a"});
    CHECK_FALSE(part->page.joint);
    CHECK_FALSE(read({{}, "fork"}, from(sequence{2}))->page.joint);
  }

  TEST_CASE_FIXTURE(forked, "a fork begins with the entries of its source") {
    const auto made = fork("fork", "source", 2);
    CHECK(made->first() == 2);
    CHECK(all("fork") == payloads{"a", "b"});
    CHECK(append({{}, "fork"}, "x")->done == false);
    settle();
    CHECK(all("fork") == payloads{"a", "b", "x"});
    CHECK(all("source") == payloads{"a", "b", "c"});
    const auto known = info({{}, "fork"});
    CHECK(known.first == sequence{2});
    CHECK(known.next == sequence{3});
    CHECK(known.origin.at == sequence{2});
    CHECK(info({{}, "source"}).forks == 1);
  }

  TEST_CASE_FIXTURE(forked, "what the source gets later is not the fork's") {
    fork("fork", "source", 3, {"own"});
    append({{}, "source"}, "d");
    settle();
    CHECK(all("fork") == payloads{"a", "b", "c", "own"});
    CHECK(all("source") == payloads{"a", "b", "c", "d"});
  }

  TEST_CASE_FIXTURE(forked, "a page of inherited entries is the fork's") {
    fork("fork", "source", 2, {"x", "y"});
    control(write_kind::close, {{}, "fork"});
    settle();
    const auto page = read({{}, "fork"}, from(sequence{1}));
    CHECK(page->payloads() == payloads{"b"});
    CHECK(page->page.stream == info({{}, "fork"}).id);
    CHECK(page->page.next_from == sequence{2});
    CHECK(page->page.next == sequence{4});
    CHECK(page->page.closed);
    CHECK(read({{}, "fork"}, from(sequence{0}, 1))->payloads()
          == payloads{"a"});
    CHECK(read({{}, "fork"}, from(sequence{2}))->payloads()
          == payloads{"x", "y"});
  }

  TEST_CASE_FIXTURE(forked, "a fork of a fork reads through to the root") {
    fork("middle", "source", 2, {"m"});
    fork("leaf", "middle", 3, {"l"});
    fork("early", "middle", 1, {"e"});
    CHECK(all("leaf") == payloads{"a", "b", "m", "l"});
    CHECK(all("early") == payloads{"a", "e"});
  }

  TEST_CASE_FIXTURE(forked, "a read by time looks at each stream of a chain") {
    clock.wall += 1000;
    fork("middle", "source", 0, {"m"});
    clock.wall += 1000;
    fork("leaf", "middle", 1, {"l"});
    read_options wanted;
    wanted.from_time = clock.wall - 1000;
    CHECK(read({{}, "leaf"}, wanted)->payloads() == payloads{"m"});
    wanted.from_time = clock.wall - 500;
    CHECK(read({{}, "leaf"}, wanted)->payloads() == payloads{"l"});
    CHECK(all("leaf") == payloads{"m", "l"});
  }

  TEST_CASE_FIXTURE(forked, "a read by time finds inherited entries") {
    clock.wall += 1000;
    append({{}, "source"}, "late");
    settle();
    clock.wall += 1000;
    fork("fork", "source", 4, {"own"});
    read_options wanted;
    wanted.from_time = clock.wall - 1000;
    CHECK(read({{}, "fork"}, wanted)->payloads() == payloads{"late"});
    wanted.from_time = clock.wall;
    CHECK(read({{}, "fork"}, wanted)->payloads() == payloads{"own"});
    wanted.from_time = clock.wall + 1;
    CHECK(read({{}, "fork"}, wanted)->payloads().empty());
    // Own entries that are older than the time stay out.
    clock.wall += 1000;
    append({{}, "fork"}, "newer");
    settle();
    wanted.from_time = clock.wall;
    CHECK(read({{}, "fork"}, wanted)->payloads() == payloads{"newer"});
  }

  TEST_CASE_FIXTURE(forked, "a source that has lost what a fork inherited is "
                            "damaged, and not read forever") {
    // As behind a disk that lied: the fork's record outlived the entries.
    const auto source = info({{}, "source"}).id;
    create_options how;
    how.origin = {source, sequence{5}, 0, 1};
    const auto made = create("fork", how, {"own"});
    settle();
    REQUIRE(made->good());
    CHECK(read({{}, "fork"}, from(sequence{0}))->payloads()
          == payloads{"a", "b", "c"});
    for (const std::uint64_t missing : {3, 4}) {
      const auto page = read({{}, "fork"}, from(sequence{missing}));
      REQUIRE(page->code == errc::corrupt);
      CHECK(page->text.find("'source': entries 3 to 4") != std::string::npos);
    }
    CHECK(read({{}, "fork"}, from(sequence{5}))->payloads() == payloads{"own"});
  }

  TEST_CASE_FIXTURE(forked, "a source can only be forked where it has entries") {
    CHECK(pin({{}, "source"}, 4, "fork")->code() == errc::out_of_range);
    CHECK(pin({{}, "nothing"}, 0, "fork")->code() == errc::not_found);
    truncate({{}, "source"}, 2);
    settle();
    CHECK(pin({{}, "source"}, 1, "fork")->code() == errc::out_of_range);
    CHECK(info({{}, "source"}).forks == 0);
  }

  TEST_CASE_FIXTURE(forked, "a deleted source stays for its forks only") {
    fork("fork", "source", 2);
    const auto id = info({{}, "source"}).id;
    remove("source");
    CHECK(all("fork") == payloads{"a", "b"});
    for (const auto& named : {stream_ref{{}, "source"}, stream_ref{id, {}}}) {
      CHECK(read(named)->code == errc::gone);
      CHECK(append(named, "x")->code() == errc::gone);
      CHECK(control(write_kind::close, named)->code() == errc::gone);
      CHECK(control(write_kind::remove, named)->code() == errc::gone);
      CHECK(pin(named, 1, "other")->code() == errc::gone);
      CHECK(table->info(named).error().code == errc::gone);
    }
    CHECK(create("source")->code() == errc::gone);
  }

  TEST_CASE_FIXTURE(forked, "a deleted source goes with its last fork") {
    fork("one", "source", 2);
    fork("two", "source", 3);
    remove("source");
    remove("one");
    take_unpins();
    CHECK(read({{}, "source"})->code == errc::gone);
    remove("two");
    take_unpins();
    CHECK(read({{}, "source"})->code == errc::not_found);
    CHECK(create("source")->done == false);
  }

  TEST_CASE_FIXTURE(forked, "deletions run up a chain of forks") {
    fork("middle", "source", 2);
    fork("leaf", "middle", 2);
    remove("source");
    remove("middle");
    CHECK(all("leaf") == payloads{"a", "b"});
    remove("leaf");
    take_unpins();
    CHECK(list().empty());
  }

  TEST_CASE_FIXTURE(forked, "a source with living forks outlasts its last one") {
    fork("fork", "source", 2);
    remove("fork");
    take_unpins();
    CHECK(info({{}, "source"}).forks == 0);
    CHECK(all("source") == payloads{"a", "b", "c"});
  }

  TEST_CASE_FIXTURE(forked, "a source that expires stays for its forks") {
    create_options brief;
    brief.keep.ttl_ms = 1000;
    create("brief", brief, {"a"});
    settle();
    fork("fork", "brief", 1);
    advance(2000);
    settle();
    CHECK(read({{}, "brief"})->code == errc::gone);
    CHECK(all("fork") == payloads{"a"});
    remove("fork");
    take_unpins();
    CHECK(read({{}, "brief"})->code == errc::not_found);
  }

  TEST_CASE_FIXTURE(forked, "an expired stream with forks keeps its name") {
    create_options brief;
    const auto pinned = pin({{}, "source"}, 2, "middle");
    settle();
    brief.keep.ttl_ms = 1000;
    brief.origin = {pinned->outcome.stream, sequence{2}, 0,
                    pinned->outcome.producer};
    create("middle", brief);
    settle();
    table->settle_pin({pinned->outcome.stream, pinned->outcome.producer, ""});
    fork("leaf", "middle", 2);
    remove("source");
    clock.wall += 2000; // Expired, and nobody has looked yet.
    CHECK(all("leaf") == payloads{"a", "b"});
    CHECK(late(append({{}, "middle"}, "x"))->code() == errc::gone);
    CHECK(create("middle")->code() == errc::gone);
    advance(3'600'000);
    answer_doubts();
    CHECK(all("leaf") == payloads{"a", "b"});
  }

  TEST_CASE_FIXTURE(forked, "a source is not pinned for a name that is none") {
    CHECK(pin({{}, "source"}, 1, std::string(600, 'f'))->code()
          == errc::invalid_argument);
    CHECK(pin({{}, "source"}, 1, "")->code() == errc::invalid_argument);
    CHECK(info({{}, "source"}).forks == 0);
  }

  TEST_CASE_FIXTURE(forked, "pins that do not fit into a block have to wait") {
    settings.block_bytes_max = 8192;
    start();
    retain();
    std::vector<write_answer> pinned;
    for (int i = 0; i < 30; ++i)
      pinned.push_back(pin({{}, "source"}, 1,
                           std::string(500, 'f') + std::to_string(i)));
    CHECK(pinned.back()->code() == errc::overloaded);
    settle();
    CHECK(pinned.front()->good());
  }

  TEST_CASE_FIXTURE(forked, "each pin of a deleted source is asked for once") {
    for (int i = 0; i < 5; ++i)
      fork("f" + std::to_string(i), "source", 1);
    remove("source");
    advance(1);
    doubts.clear();
    remove("f0");
    take_unpins();
    advance(1);
    CHECK(doubts.empty());
  }

  TEST_CASE_FIXTURE(forked, "all of it is there after a restart") {
    fork("fork", "source", 2, {"x"});
    remove("source");
    for (const auto saved : {false, true}) {
      CAPTURE(saved);
      if (saved)
        checkpoint();
      start();
      retain();
      CHECK(all("fork") == payloads{"a", "b", "x"});
      CHECK(read({{}, "source"})->code == errc::gone);
    }
    remove("fork");
    take_unpins();
    start();
    CHECK(list().empty());
  }

  TEST_CASE_FIXTURE(forked, "a pin whose fork got lost is found out") {
    // A crash between the pin and the fork, or between a fork's removal and the
    // end of its pin, leaves this.
    pin({{}, "source"}, 1, "never made");
    settle();
    start();
    retain();
    remove("source");
    CHECK(read({{}, "source"})->code == errc::gone);
    advance(1);
    REQUIRE(doubts.size() == 1);
    answer_doubts();
    CHECK(read({{}, "source"})->code == errc::not_found);
  }

  TEST_CASE_FIXTURE(forked, "after an opening lost pins are asked for again") {
    pin({{}, "source"}, 1, "never made");
    settle();
    remove("source");
    doubts.clear(); // The process ended before anybody answered.
    checkpoint();
    start();
    retain();
    advance(3'600'000);
    answer_doubts();
    CHECK(read({{}, "source"})->code == errc::not_found);
  }

  TEST_CASE_FIXTURE(forked, "a fork that is being made is not in doubt") {
    const auto pinned = pin({{}, "source"}, 1, "fork");
    settle();
    remove("source");
    advance(1);
    CHECK(doubts.empty());
    // It failed: its maker says so.
    unpin({pinned->outcome.stream, {}}, pinned->outcome.producer);
    settle();
    CHECK(read({{}, "source"})->code == errc::not_found);
  }

  TEST_CASE_FIXTURE(forked, "another stream of that name is not the fork") {
    fork("fork", "source", 2);
    const auto id = info({{}, "source"}).id;
    remove("fork");
    fork("fork", "source", 1);
    CHECK_FALSE(table->needs({id, 1, "fork"}));
    CHECK(table->needs({id, 2, "fork"}));
    take_unpins(); // Of the first one.
    remove("source");
    CHECK(all("fork") == payloads{"a"});
  }

  TEST_CASE_FIXTURE(forked, "a pin that is not there any more is no error") {
    const auto pinned = pin({{}, "source"}, 1, "fork");
    CHECK_FALSE(unpin({{}, "source"}, 1)->done);
    settle();
    CHECK(pinned->good());
    CHECK(unpin({{}, "source"}, 1)->good());
    CHECK(info({{}, "source"}).forks == 0);
  }

  TEST_CASE_FIXTURE(forked, "truncating a fork takes what it inherited") {
    fork("fork", "source", 2, {"x", "y"});
    truncate({{}, "fork"}, 3);
    settle();
    CHECK(all("fork") == payloads{"y"});
    CHECK(read({{}, "fork"}, from(sequence{0}))->code == errc::out_of_range);
    CHECK(all("source") == payloads{"a", "b", "c"});
  }
}
