// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_list.hpp"

#include "runtime/segment_files.hpp"
#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Segments 1 to 64. Stream 5 is in all of them, with 10 entries each; stream
/// 100 + n only in segment n; stream 7 in segments 20 and 50.
class many_segments {
public:
  many_segments() {
    REQUIRE(disk->make_directory("segments"));
    for (std::uint64_t number = 1; number <= count; ++number)
      add(number);
  }

  void add(std::uint64_t number) {
    segment_config config;
    config.number = number;
    config.journal_first = config.journal_last
      = static_cast<std::uint32_t>(number);
    auto writer = segment_writer::create(*disk, path(number), config).value();
    block_builder builder;
    const auto ms = static_cast<std::int64_t>(1000 * number);
    REQUIRE(writer.add(build(builder, tell(5, 10 * (number - 1), 10, ms))));
    if (number == 20 || number == 50)
      REQUIRE(writer.add(build(builder, tell(7, number, 1, ms))));
    REQUIRE(writer.add(build(builder, tell(100 + number, 0, 3, ms))));
    summaries.push_back(writer.finish().value());
  }

  static std::string path(std::uint64_t number) {
    return "segments/" + segment_file_name(number);
  }

  std::shared_ptr<const segment_list>
  list(std::size_t open_max = segment_list::open_max) {
    return segment_list{{disk, "segments", {}}, open_max}.with(summaries);
  }

  std::uint64_t openings() { return disk->count(disk_call::open); }

  static constexpr std::uint64_t count = 64;
  std::shared_ptr<simulated_disk> disk = std::make_shared<simulated_disk>(1);
  std::vector<segment_summary> summaries;
};

/// Number of the segment that was found; 0: none.
std::uint64_t
number_of(const result<std::optional<segment_list::found>>& found) {
  REQUIRE_MESSAGE(found, found.error().context);
  return *found ? (*found)->in->summary().number : 0;
}

} // namespace

TEST_SUITE("segment_list") {
  TEST_CASE_FIXTURE(many_segments, "each entry is found in its segment") {
    const auto all = list();
    for (std::uint64_t seq = 0; seq < 10 * count; ++seq)
      REQUIRE(number_of(all->find(stream_id{5}, sequence{seq})) == seq / 10 + 1);
    CHECK(number_of(all->find(stream_id{5}, sequence{10 * count})) == 0);
  }

  TEST_CASE_FIXTURE(many_segments, "a stream in few segments is found there") {
    const auto all = list();
    for (std::uint64_t number = 1; number <= count; ++number) {
      REQUIRE(number_of(all->find(stream_id{100 + number}, sequence{1}))
              == number);
      REQUIRE(number_of(all->find(stream_id{100 + number}, sequence{3})) == 0);
    }
    CHECK(number_of(all->find(stream_id{7}, sequence{20})) == 20);
    CHECK(number_of(all->find(stream_id{7}, sequence{50})) == 50);
    CHECK(number_of(all->find(stream_id{7}, sequence{30})) == 0); // A gap.
    CHECK(number_of(all->find(stream_id{6}, sequence{0})) == 0);
  }

  TEST_CASE_FIXTURE(many_segments, "a time is found in the first that has it") {
    const auto all = list();
    const auto find = [&](std::uint64_t stream, std::uint64_t from,
                          std::int64_t ms) {
      return number_of(
        all->find_time(stream_id{stream}, sequence{from}, ms));
    };
    CHECK(find(5, 0, 0) == 1);
    CHECK(find(5, 0, 1045) == 1); // Its last entry's.
    CHECK(find(5, 0, 1046) == 2);
    CHECK(find(5, 30, 0) == 4); // What is before is deleted.
    CHECK(find(5, 0, 1'000'000) == 0);
    CHECK(find(7, 0, 0) == 20);
    CHECK(find(7, 0, 20'001) == 50);
    CHECK(find(6, 0, 0) == 0);
  }

  TEST_CASE_FIXTURE(many_segments,
                    "a stream in all segments takes few looks") {
    const auto all = list();
    std::uint64_t most = 0;
    for (std::uint64_t number = 1; number <= count; ++number) {
      const auto before = disk->count(disk_call::read);
      for (std::uint64_t warm = 0; warm < 2; ++warm)
        REQUIRE(number_of(all->find(stream_id{5}, sequence{10 * number - 1}))
                == number);
      // The second time nothing is opened, and each look reads one page.
      const auto again = disk->count(disk_call::read);
      REQUIRE(number_of(all->find(stream_id{5}, sequence{10 * number - 1}))
              == number);
      most = std::max(most, disk->count(disk_call::read) - again);
      REQUIRE(again >= before);
    }
    CHECK(most <= 7);
  }

  TEST_CASE_FIXTURE(many_segments, "a missing file costs its segment only") {
    disk->remove_raw(path(33));
    const auto all = list();
    const auto refused = all->open(32);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::io_failed);
    CHECK(refused.error().context.find(path(33)) != std::string::npos);
    CHECK(all->open(31));
    CHECK(all->open(33));
    for (std::uint64_t seq = 0; seq < 10 * count; ++seq) {
      const auto found = all->find(stream_id{5}, sequence{seq});
      if (seq / 10 == 32)
        REQUIRE_FALSE(found);
      else
        REQUIRE(number_of(found) == seq / 10 + 1);
    }
    for (std::uint64_t number = 1; number <= count; ++number)
      CHECK(all->find(stream_id{100 + number}, sequence{1}).has_value()
            == (number != 33));
    CHECK_FALSE(all->find(stream_id{6}, sequence{0})); // Perhaps it was there.
  }

  TEST_CASE_FIXTURE(many_segments,
                    "a time is not found behind what cannot be read") {
    disk->remove_raw(path(33));
    const auto all = list();
    const auto find = [&](std::uint64_t from, std::int64_t ms) {
      return all->find_time(stream_id{5}, sequence{from}, ms);
    };
    CHECK(number_of(find(0, 0)) == 1);
    CHECK(number_of(find(330, 0)) == 34); // What is before is deleted.
    const auto last = find(320, 0);
    REQUIRE_FALSE(last); // Not 34: the missing one may have entries before.
    CHECK(last.error().context.find(path(33)) != std::string::npos);
  }

  TEST_CASE_FIXTURE(many_segments, "no more than so many stay open") {
    const auto all = list(4);
    std::vector<std::weak_ptr<const segment>> seen;
    for (std::size_t at = 0; at < count; ++at)
      seen.push_back(all->open(at).value());
    for (std::size_t at = 0; at < count; ++at)
      CHECK(seen[at].expired() == (at + 4 < count));
    const auto before = openings();
    for (std::size_t at = count - 4; at < count; ++at)
      CHECK(all->open(at));
    CHECK(openings() == before);
    CHECK(all->open(0));
    CHECK(openings() == before + 1);
  }

  TEST_CASE_FIXTURE(many_segments, "what is used stays open") {
    const auto all = list(4);
    const std::weak_ptr used = all->open(0).value();
    for (std::size_t at = 1; at < count; ++at) {
      CHECK(all->open(at));
      CHECK(all->open(0).value() == used.lock());
    }
  }

  TEST_CASE_FIXTURE(many_segments, "who reads a segment keeps it open") {
    const auto all = list(1);
    const auto held = all->open(0).value();
    CHECK(all->open(1));
    CHECK(held->find(stream_id{5}).value());
    CHECK(all->open(0).value() != held); // Opened again.
  }

  TEST_CASE_FIXTURE(many_segments, "the next list has the same ones open") {
    const auto one = list();
    const auto first = one->open(0).value();
    const auto before = openings();
    add(65);
    summaries.erase(summaries.begin() + 1);
    const auto two = one->with(summaries);
    const auto made = openings() - before; // By the writer.
    CHECK(two->size() == 64);
    CHECK(two->summary(1).number == 3);
    CHECK(two->open(0).value() == first);
    CHECK(openings() == before + made);
    CHECK(two->open(63).value()->summary().number == 65);
    CHECK(one->open(1).value()->summary().number == 2);
  }

  TEST_CASE_FIXTURE(many_segments, "the bound holds for all lists together") {
    const auto one = list(4);
    const std::weak_ptr old = one->open(0).value();
    const auto two = one->with(summaries);
    for (std::size_t at = 1; at <= 4; ++at)
      CHECK(two->open(at));
    CHECK(old.expired());
  }

  TEST_CASE_FIXTURE(many_segments,
                    "a segment that no list has any more is closed") {
    auto one = list();
    const std::weak_ptr gone = one->open(0).value();
    summaries.erase(summaries.begin());
    const auto two = one->with(summaries);
    CHECK_FALSE(gone.expired());
    one.reset();
    CHECK(gone.expired());
  }
}
