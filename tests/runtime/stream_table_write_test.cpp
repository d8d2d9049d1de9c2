// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "runtime/stream_name.hpp"
#include "tests/support/table_fixture.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;
using namespace std::string_literals;

namespace {

struct started : table_fixture {
  started() { start(); }

  write_answer append_if(stream_ref stream, std::uint64_t expected,
                         std::string_view payload = "x") {
    append_options how;
    how.expected_next = sequence{expected};
    return append(stream, payload, how);
  }

  write_answer append_sized(std::size_t payload, std::size_t properties) {
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, "a"});
    std::vector<property> pairs;
    if (properties > 0) // Two empty pairs' lengths and a large one's.
      pairs.emplace_back("", std::string(properties - 4, 'p'));
    batch->add(as_bytes(std::string(payload, 'x')), pairs);
    return send(std::move(batch))[0];
  }
};

/// A refusal changes nothing: nobody was woken, no memory is held.
void check_untouched(const table_fixture& all) {
  CHECK(all.awake.empty());
  CHECK(all.flights.empty());
  CHECK(all.used() == 0);
}

} // namespace

TEST_SUITE("stream_table_write") {
  // -- names -----------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "bad names are refused by every request") {
    for (const auto& name :
         {""s, std::string(513, 'a'), "\xff"s, "\xc0\xaf"s, "\xed\xa0\x80"s,
          "a\0b"s, "a\nb"s, "\x7f"s, "\xc2\x85"s}) {
      CAPTURE(printable(name));
      CHECK(append({{}, name}, "x")->code() == errc::invalid_argument);
      CHECK(create(name)->code() == errc::invalid_argument);
      CHECK(control(write_kind::close, {{}, name})->code()
            == errc::invalid_argument);
      CHECK(control(write_kind::remove, {{}, name})->code()
            == errc::invalid_argument);
      CHECK(set_policy({{}, name}, {})->code() == errc::invalid_argument);
      CHECK_FALSE(table->info({{}, name}));
      CHECK(read({{}, name})->code != errc{});
      if (!name.empty()) // That is a sync of all.
        CHECK(control(write_kind::sync, {{}, name})->code()
              == errc::invalid_argument);
    }
    check_untouched(*this);
    CHECK(list().empty());
  }

  TEST_CASE_FIXTURE(started, "names that look like paths are plain names") {
    const payloads names{"../x", "/etc/passwd", ".", "..", "a/../b"};
    for (const auto& name : names)
      append({{}, name}, name);
    settle();
    for (const auto& name : names)
      CHECK(read({{}, name})->payloads() == payloads{name});
    CHECK(list().size() == names.size());
  }

  // -- limits ----------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "an empty payload is an entry") {
    const auto answer = append_all({{}, "a"}, {"", "", ""});
    settle();
    CHECK(answer->outcome.count == 3);
    CHECK(read({{}, "a"})->payloads() == payloads{"", "", ""});
  }

  TEST_CASE_FIXTURE(started, "an append without entries is refused") {
    CHECK(append_all({{}, "a"}, {})->code() == errc::invalid_argument);
    check_untouched(*this);
  }

  TEST_CASE_FIXTURE(started, "a payload has at most 16 MiB") {
    CHECK(append_sized((16u << 20) + 1, 0)->code() == errc::too_large);
    check_untouched(*this);
    const auto largest = append_sized(16u << 20, 0);
    settle();
    CHECK(largest->good());
    CHECK(read({{}, "a"})->page.entries.at(0).payload.size() == 16u << 20);
  }

  TEST_CASE_FIXTURE(started, "properties have at most 64 KiB") {
    // A key's length is one byte, a value's of this size three.
    CHECK(append_sized(1, (64u << 10) + 1)->code() == errc::too_large);
    check_untouched(*this);
    const auto largest = append_sized(1, 64u << 10);
    settle();
    CHECK(largest->good());
  }

  TEST_CASE_FIXTURE(started, "an append has at most 2^20 entries") {
    const auto send_entries = [this](std::uint32_t count) {
      auto batch = std::make_unique<write_batch>();
      batch->append({{}, "a"});
      for (std::uint32_t i = 0; i < count; ++i)
        batch->add({});
      return send(std::move(batch))[0];
    };
    CHECK(send_entries((1u << 20) + 1)->code() == errc::too_large);
    check_untouched(*this);
    const auto largest = send_entries(1u << 20);
    settle();
    CHECK(largest->good());
    CHECK(info({{}, "a"}).next == sequence{1u << 20});
  }

  TEST_CASE_FIXTURE(table_fixture, "an append that fits no block is refused") {
    settings.block_bytes_max = 64u << 10;
    start();
    const auto refused = append({{}, "a"}, std::string(40'000, 'x'));
    CHECK(refused->code() == errc::too_large);
    CHECK(refused->says("32768"));
    check_untouched(*this);
    CHECK(list().empty());
    append({{}, "a"}, std::string(30'000, 'x'));
    settle();
    CHECK(info({{}, "a"}).next == sequence{1});
  }

  TEST_CASE_FIXTURE(table_fixture, "a full block makes room by itself") {
    settings.block_bytes_max = 64u << 10; // Less than sync.max_bytes.
    settings.sync.max_bytes = 64u << 10;
    start();
    const std::string payload(20'000, 'x');
    CHECK(buffered({{}, "a"}, payload)->good());
    const auto refused = buffered({{}, "a"}, payload);
    CHECK(refused->code() == errc::overloaded);
    // A retry in a few ms has to succeed, not one after max-delay.
    CHECK(flights.size() == 1);
    settle();
    CHECK(buffered({{}, "a"}, payload)->good());
  }

  TEST_CASE_FIXTURE(started, "a producer id has 1 to 256 bytes") {
    const auto by = [this](std::size_t bytes) {
      append_options how;
      how.producer = producer{std::string(bytes, 'p'), 0, 0};
      return append({{}, "a" + std::to_string(bytes)}, "x", how);
    };
    CHECK(by(0)->code() == errc::invalid_argument);
    CHECK(by(257)->code() == errc::invalid_argument);
    check_untouched(*this);
    const auto good = by(256);
    settle();
    CHECK(good->good());
  }

  // -- expected next ---------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a wrong expected sequence names the actual one") {
    const auto fresh = append_if({{}, "a"}, 4);
    CHECK(fresh->code() == errc::conflict);
    CHECK(fresh->says("0"));
    check_untouched(*this);
    CHECK(list().empty());
    append_all({{}, "a"}, {"1", "2", "3"});
    for (int state = 0; state < 2; ++state) { // In flight, then asleep.
      for (const auto expected : {0, 2, 4}) {
        const auto refused = append_if(
          {{}, "a"}, static_cast<std::uint64_t>(expected));
        settle();
        CHECK(refused->code() == errc::conflict);
        CHECK(refused->says("it is 3"));
      }
    }
  }

  TEST_CASE_FIXTURE(started, "the expected sequence counts what is buffered") {
    const auto first = append_if({{}, "a"}, 0);
    const auto second = append_if({{}, "a"}, 1);
    const auto late = append_if({{}, "a"}, 1);
    settle();
    CHECK(first->first() == 0);
    CHECK(second->first() == 1);
    CHECK(late->code() == errc::conflict);
    CHECK(append_if({{}, "a"}, 2)->done == false);
  }

  // -- create ----------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a created stream is there when it is durable") {
    const auto answer = create("a");
    CHECK_FALSE(answer->done);
    CHECK_FALSE(table->info({{}, "a"}));
    CHECK(list().empty());
    commit();
    CHECK(answer->good());
    CHECK(info({{}, "a"}).id == answer->outcome.stream);
    CHECK(info({{}, "a"}).next == sequence{0});
    CHECK(list() == payloads{"a"});
    CHECK(read({{}, "a"})->payloads().empty());
  }

  TEST_CASE_FIXTURE(started, "a stream is created once") {
    create("a");
    CHECK(late(create("a"))->code() == errc::already_exists);
    CHECK(create("a")->code() == errc::already_exists);
    checkpoint();
    start();
    CHECK(create("a")->code() == errc::already_exists);
    append({{}, "b"}, "x");
    CHECK(late(create("b"))->code() == errc::already_exists);
  }

  TEST_CASE_FIXTURE(started, "a stream that found no room does not exist") {
    create("a");
    const auto second = create("a");
    refuse_flights({errc::io_failed, "the disk is full"});
    CHECK(second->code() == errc::io_failed);
  }

  TEST_CASE_FIXTURE(started,
                    "entries right behind a create go to that stream") {
    const auto made = create("a");
    const auto first = append({{}, "a"}, "x");
    settle();
    CHECK(first->outcome.stream == made->outcome.stream);
    start();
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "implicit creation can be switched off") {
    settings.create_on_append = false;
    start();
    const auto refused = append({{}, "a"}, "x");
    CHECK(refused->code() == errc::not_found);
    check_untouched(*this);
    create("a");
    const auto taken = append({{}, "a"}, "x");
    settle();
    CHECK(taken->good());
  }

  TEST_CASE_FIXTURE(started, "an unknown id is never created") {
    CHECK(append({stream_id{999}, {}}, "x")->code() == errc::not_found);
    CHECK(append({stream_id{999}, "a"}, "x")->code() == errc::not_found);
    check_untouched(*this);
  }

  // -- close -----------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a closed stream takes no more entries") {
    append({{}, "a"}, "x");
    const auto closed = control(write_kind::close, {{}, "a"});
    // From the moment it was asked for.
    const auto refused = append({{}, "a"}, "y");
    CHECK_FALSE(closed->done);
    CHECK(late(refused)->code() == errc::closed);
    CHECK(closed->good());
    CHECK(append({{}, "a"}, "y")->code() == errc::closed);
    CHECK(info({{}, "a"}).closed);
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
    checkpoint();
    start();
    CHECK(append({{}, "a"}, "y")->code() == errc::closed);
  }

  TEST_CASE_FIXTURE(started, "a stream can be closed twice") {
    append({{}, "a"}, "x");
    const auto first = control(write_kind::close, {{}, "a"});
    const auto second = control(write_kind::close, {{}, "a"});
    settle();
    CHECK(first->good());
    CHECK(second->good());
    CHECK(control(write_kind::close, {{}, "a"})->good());
    CHECK(flights.empty());
    CHECK(control(write_kind::close, {{}, "b"})->code() == errc::not_found);
  }

  TEST_CASE_FIXTURE(started, "entries before a close in one batch are kept") {
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, "a"});
    batch->add(as_bytes("x"));
    batch->control(write_kind::close, {{}, "a"});
    batch->append({{}, "a"});
    batch->add(as_bytes("y"));
    const auto answers = send(std::move(batch));
    settle();
    CHECK(answers[0]->good());
    CHECK(answers[1]->good());
    CHECK(answers[2]->code() == errc::closed);
    CHECK(table->stats().blocks == 1);
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
  }

  // -- remove ----------------------------------------------------------------

  TEST_CASE_FIXTURE(started, "a removed stream is gone when that is durable") {
    const auto id = append({{}, "a"}, "x")->outcome.stream;
    settle();
    const auto removed = control(write_kind::remove, {{}, "a"});
    CHECK_FALSE(removed->done);
    CHECK(read({{}, "a"})->payloads() == payloads{"x"});
    const std::vector refused{append({{}, "a"}, "y"),
                              control(write_kind::close, {{}, "a"}),
                              control(write_kind::remove, {{}, "a"})};
    const auto made = create("a");
    for (const auto& each : refused)
      CHECK_FALSE(each->done);
    settle();
    for (const auto& each : refused)
      CHECK(each->code() == errc::not_found);
    CHECK(made->code() == errc::overloaded); // Its name is free in a moment.
    CHECK(removed->good());
    CHECK(read({{}, "a"})->code == errc::not_found);
    CHECK(read({id, {}})->code == errc::not_found);
    CHECK_FALSE(table->info({{}, "a"}));
    CHECK(list().empty());
    CHECK(control(write_kind::remove, {{}, "a"})->code() == errc::not_found);
    checkpoint();
    CHECK(*stored->count() == 0);
    CHECK(table->stats().records == 0);
    start();
    CHECK_FALSE(table->info({{}, "a"}));
  }

  TEST_CASE_FIXTURE(started, "a name can be used again after a remove") {
    for (const auto saves : {false, true}) {
      const auto name = saves ? "saved" : "unsaved";
      const auto old = append({{}, name}, "old");
      settle();
      if (saves)
        checkpoint();
      control(write_kind::remove, {{}, name});
      settle();
      const auto fresh = append({{}, name}, "new");
      settle();
      CHECK(fresh->first() == 0);
      CHECK(raw(fresh->outcome.stream) > raw(old->outcome.stream));
      CHECK(read({{}, name})->payloads() == payloads{"new"});
      // Who holds the old one's id does not meet the new one.
      CHECK(append({old->outcome.stream, {}}, "x")->code() == errc::not_found);
      CHECK(read({old->outcome.stream, {}})->code == errc::not_found);
    }
    start();
    CHECK(read({{}, "saved"})->payloads() == payloads{"new"});
    CHECK(read({{}, "unsaved"})->payloads() == payloads{"new"});
    checkpoint();
    start();
    CHECK(read({{}, "saved"})->payloads() == payloads{"new"});
    CHECK(list() == payloads{"saved", "unsaved"});
  }

  TEST_CASE_FIXTURE(started, "entries and a remove in one block are gone") {
    buffered({{}, "a"}, "x");
    const auto removed = control(write_kind::remove, {{}, "a"});
    settle();
    CHECK(removed->good());
    CHECK(list().empty());
    CHECK(awake.empty());
    start();
    CHECK(list().empty());
    checkpoint();
    CHECK(*stored->count() == 0);
  }

  TEST_CASE_FIXTURE(started, "an id is never given twice") {
    std::set<std::uint64_t> ids;
    for (int round = 0; round < 12; ++round) {
      for (const auto* name : {"a", "b", "c"}) {
        const auto made = create(name);
        settle();
        CHECK(ids.insert(raw(made->outcome.stream)).second);
        CHECK(raw(made->outcome.stream) % slots == slot_of(name));
        control(write_kind::remove, {{}, name});
      }
      settle();
      if (round % 3 == 0)
        checkpoint();
      if (round % 2 == 0)
        start();
    }
  }

  TEST_CASE_FIXTURE(started, "a stream is found by its id as by its name") {
    const auto id = create("a");
    settle();
    append({id->outcome.stream, {}}, "x");
    append({id->outcome.stream, "another name"}, "y");
    settle();
    CHECK(read({{}, "a"})->payloads() == payloads{"x", "y"});
    CHECK(info({id->outcome.stream, {}}).name == "a");
    CHECK(list() == payloads{"a"});
  }

  TEST_CASE_FIXTURE(table_fixture, "a truncated stream begins where it was cut") {
    start();
    for (int i = 0; i < 5; ++i)
      append({{}, "a"}, std::to_string(i));
    const auto cut = truncate({{}, "a"}, 3);
    settle();
    CHECK(cut->good());
    CHECK(info({{}, "a"}).first == sequence{3});
    read_options options;
    options.from = sequence{3};
    CHECK(read({{}, "a"}, options)->payloads() == payloads{"3", "4"});
    CHECK(read({{}, "a"})->code == errc::out_of_range);
    start(); // As after a restart.
    CHECK(info({{}, "a"}).first == sequence{3});
    CHECK(info({{}, "a"}).next == sequence{5});
  }

  TEST_CASE_FIXTURE(table_fixture, "a truncation beyond the end is refused") {
    start();
    append({{}, "a"}, "x");
    CHECK(late(truncate({{}, "a"}, 2))->code() == errc::out_of_range);
    CHECK(truncate({{}, "a"}, 2)->says("before sequence 1"));
    CHECK(truncate({{}, "none"}, 0)->code() == errc::not_found);
    const auto all = truncate({{}, "a"}, 1); // Not durable yet, but accepted.
    settle();
    CHECK(all->good());
    CHECK(info({{}, "a"}).first == sequence{1});
    const auto again = truncate({{}, "a"}, 0);
    CHECK(again->good()); // What is deleted already is no error.
    CHECK(info({{}, "a"}).first == sequence{1});
  }
}
