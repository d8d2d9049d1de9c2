// SPDX-License-Identifier: Apache-2.0
#include "runtime/replay.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torpor;

namespace {

producer_stamp stamp(std::string_view id, std::uint64_t epoch,
                     std::uint64_t number) {
  return {id, epoch, number, sequence{number * 10}, 10};
}

/// A producer that wrote the numbers 0 to `count` - 1 in an epoch.
std::unique_ptr<producer_table> wrote(std::uint64_t epoch,
                                      std::uint64_t count) {
  std::unique_ptr<producer_table> producers;
  for (std::uint64_t number = 0; number < count; ++number)
    note_producer(producers, stamp("p", epoch, number));
  return producers;
}

producer_verdict judged(const std::unique_ptr<producer_table>& producers,
                        std::uint64_t epoch, std::uint64_t number) {
  return judge(find_producer(producers.get(), "p"), epoch, number);
}

void check_refused(const producer_verdict& verdict, errc code,
                   std::uint64_t expected) {
  CHECK(verdict.kind == producer_verdict::refuse);
  CHECK(verdict.code == code);
  CHECK(verdict.expected == expected);
}

block_view entries(std::uint64_t first, std::uint32_t count,
                   std::int64_t time_ms) {
  block_view block;
  block.first = sequence{first};
  block.count = count;
  block.first_ms = block.last_ms = time_ms;
  return block;
}

} // namespace

TEST_SUITE("replay") {
  TEST_CASE("entries move a record's end and its time") {
    stream_record record;
    apply(record, entries(0, 3, 500));
    CHECK(record.next == sequence{3});
    CHECK(record.last_ms == 500);
    apply(record, entries(3, 1, 700));
    CHECK(record.next == sequence{4});
    CHECK(record.last_ms == 700);
  }

  TEST_CASE("a block that a record holds already changes nothing") {
    stream_record record;
    auto first = entries(0, 3, 500);
    first.stamps = {stamp("p", 0, 0)};
    auto second = entries(3, 2, 600);
    second.stamps = {stamp("p", 0, 1)};
    second.closes = true;
    apply(record, first);
    apply(record, second);
    const auto before = record.clone();
    apply(record, first);
    apply(record, second);
    CHECK(record.next == before.next);
    CHECK(record.last_ms == before.last_ms);
    CHECK(bool{record.closed});
    CHECK(*record.producers == *before.producers);
  }

  TEST_CASE("a record counts the bytes of its entries once") {
    stream_record record;
    auto first = entries(0, 3, 500);
    first.entry_bytes = 90;
    auto second = entries(3, 1, 600);
    second.entry_bytes = 10;
    for (const auto& block : {first, second, first, second})
      CHECK(apply(record, block) == 0);
    CHECK(std::uint64_t{record.kept_bytes} == 100);
  }

  TEST_CASE("a truncation deletes its share of the bytes, and only once") {
    stream_record record;
    auto block = entries(0, 4, 500);
    block.entry_bytes = 100;
    apply(record, block);
    auto cut = entries(4, 0, 0);
    cut.truncates = sequence{1};
    CHECK(apply(record, cut) == 25);
    CHECK(apply(record, cut) == 0);
    CHECK(apply(record, block) == 0);
    CHECK(std::uint64_t{record.kept_bytes} == 75);
    cut.truncates = sequence{9};
    CHECK(apply(record, cut) == 75);
    CHECK(std::uint64_t{record.kept_bytes} == 0);
    CHECK(record.first == sequence{4});
  }

  TEST_CASE("a record's time never goes back") {
    stream_record record;
    record.last_ms = 900;
    apply(record, entries(0, 1, 500));
    CHECK(record.last_ms == 900);
  }

  TEST_CASE("a record keeps its name and takes policy and close") {
    stream_record record;
    block_view block;
    block.creates = true;
    block.name = "a";
    block.policy = sync_policy{1, 2, 3};
    apply(record, block);
    CHECK(record.name == "a");
    REQUIRE(record.settings);
    CHECK(record.settings->sync == sync_policy{1, 2, 3});
    CHECK_FALSE(bool{record.closed});
    block.name = "b";
    block.policy.reset();
    block.closes = true;
    apply(record, block);
    CHECK(record.name == "a");
    REQUIRE(record.settings);
    CHECK(record.settings->sync == sync_policy{1, 2, 3});
    CHECK(bool{record.closed});
    CHECK(record.next == sequence{0});
  }

  TEST_CASE("a new producer begins at number 0, in any epoch") {
    CHECK(judge(nullptr, 0, 0).kind == producer_verdict::accept);
    CHECK(judge(nullptr, 9, 0).kind == producer_verdict::accept);
    check_refused(judge(nullptr, 0, 1), errc::conflict, 0);
  }

  TEST_CASE("the next number is accepted, a gap names the expected one") {
    const auto known = wrote(3, 7);
    CHECK(judged(known, 3, 7).kind == producer_verdict::accept);
    check_refused(judged(known, 3, 8), errc::conflict, 7);
    check_refused(judged(known, 3, ~0ull), errc::conflict, 7);
  }

  TEST_CASE("the last five numbers get their first answers again") {
    const auto known = wrote(3, 7);
    for (std::uint64_t number = 2; number < 7; ++number) {
      const auto verdict = judged(known, 3, number);
      CHECK(verdict.kind == producer_verdict::duplicate);
      CHECK(verdict.answer.number == number);
      CHECK(verdict.answer.first == sequence{number * 10});
      CHECK(verdict.answer.count == 10);
    }
  }

  TEST_CASE("an older number was written, though its answer is forgotten") {
    const auto known = wrote(3, 7);
    for (std::uint64_t number = 0; number < 2; ++number) {
      const auto verdict = judged(known, 3, number);
      CHECK(verdict.kind == producer_verdict::duplicate);
      CHECK(verdict.answer.count == 0);
      CHECK(verdict.expected == 7);
    }
  }

  TEST_CASE("an older epoch is fenced and told the newer one") {
    check_refused(judged(wrote(3, 7), 2, 7), errc::fenced, 3);
    check_refused(judged(wrote(3, 7), 0, 0), errc::fenced, 3);
  }

  TEST_CASE("a newer epoch begins at 0 and forgets the older answers") {
    auto known = wrote(3, 7);
    CHECK(judged(known, 4, 0).kind == producer_verdict::accept);
    check_refused(judged(known, 4, 7), errc::conflict, 0);
    note_producer(known, stamp("p", 4, 0));
    CHECK(judged(known, 4, 0).kind == producer_verdict::duplicate);
    for (std::uint64_t number = 2; number < 7; ++number)
      check_refused(judged(known, 4, number), errc::conflict, 1);
  }

  TEST_CASE("the 257th producer pushes out the one silent longest") {
    std::unique_ptr<producer_table> known;
    const auto note = [&known](int i, std::uint64_t number) {
      note_producer(known, stamp("p" + std::to_string(i), 0, number));
    };
    for (int i = 0; i < 256; ++i)
      note(i, 0);
    note(0, 1); // Not the least recent any more.
    CHECK(known->size() == producers_max);
    note(256, 0);
    CHECK(known->size() == producers_max);
    CHECK(find_producer(known.get(), "p0") != nullptr);
    CHECK(find_producer(known.get(), "p0")->next == 2);
    CHECK(find_producer(known.get(), "p1") == nullptr);
    CHECK(find_producer(known.get(), "p2") != nullptr);
    CHECK(find_producer(known.get(), "p256") != nullptr);
  }

  TEST_CASE("nobody is found where no producer ever wrote") {
    CHECK(find_producer(nullptr, "p") == nullptr);
    const producer_table none;
    CHECK(find_producer(&none, "p") == nullptr);
  }
}
