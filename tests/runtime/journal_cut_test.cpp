// SPDX-License-Identifier: Apache-2.0
// What no crash leaves at the journal's end is damage, not a torn tail.
#include "runtime/journal_scan.hpp"

#include "tests/support/journal_fixture.hpp"

#include <doctest/doctest.h>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Three frames of 4,096 and one of 12,288 bytes in file 1, and a spare.
struct cut_journal : journal_fixture {
  cut_journal() {
    open();
    for (const auto* payload : {"a", "b", "c"})
      REQUIRE(commit(payload) == commit_outcome::durable);
    REQUIRE(commit(std::string(9000, 'd')) == commit_outcome::durable);
    REQUIRE(log->prepare(2));
    cut_power();
  }

  void check_damage(std::uint32_t file, std::uint64_t offset) {
    const auto names = disk.list("journal").value();
    const auto scanned = scan();
    REQUIRE_FALSE(scanned);
    CHECK(scanned.error().code == errc::corrupt);
    const auto place = "'" + path(file) + "' at byte " + std::to_string(offset);
    CHECK_MESSAGE(scanned.error().context.find(place) != std::string::npos,
                  scanned.error().context);
    CHECK(disk.list("journal").value() == names);
    const auto looked = scan({.repair = false});
    REQUIRE(looked);
    REQUIRE(looked->damages.size() == 1);
    CHECK(looked->damages[0].file == path(file));
    CHECK(looked->damages[0].offset == offset);
  }
};

constexpr std::uint64_t first_three = 3 * frame_alignment;

} // namespace

TEST_SUITE("journal_cut") {
  TEST_CASE_FIXTURE(cut_journal, "a file that ends within a frame is damage") {
    disk.truncate_raw(path(1), first_three + 2 * frame_alignment);
    check_damage(1, first_three);
  }

  TEST_CASE_FIXTURE(cut_journal,
                    "a file that ends between two places for frames is damage") {
    disk.truncate_raw(path(1), first_three + 100);
    check_damage(1, first_three);
  }

  TEST_CASE_FIXTURE(cut_journal, "an empty file is damage") {
    SUBCASE("the only one with frames") {
      disk.truncate_raw(path(1), 0);
      check_damage(1, 0);
    }
    SUBCASE("the one behind it, which may have had frames") {
      disk.truncate_raw(path(2), 0);
      check_damage(2, 0);
    }
  }

  TEST_CASE_FIXTURE(cut_journal, "the spare tells that the newest file is gone") {
    disk.remove_raw(path(1));
    check_damage(1, 0);
  }

  TEST_CASE_FIXTURE(cut_journal, "a tail that is torn is none") {
    const std::vector<std::byte> zeros(2 * frame_alignment);
    put(1, first_three + frame_alignment, zeros);
    const auto scanned = scan();
    REQUIRE(scanned);
    CHECK(scanned->end.frame == 3);
    CHECK(scanned->end.spare == 2);
    CHECK(size(1) == first_three);
  }

  TEST_CASE("files of no use go one by one, so that none seems to be lost") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      journal_fixture journal{seed};
      journal.open();
      REQUIRE(journal.commit("a") == commit_outcome::durable);
      for (const std::uint32_t number : {2u, 3u, 4u})
        REQUIRE(journal.log->prepare(number));
      journal.disk.flip_bit(journal.path(2), 60'000, 5);
      journal.disk.crash_at(1 + seed % 9);
      static_cast<void>(journal.scan());
      journal.cut_power();
      const auto scanned = journal.scan();
      REQUIRE_MESSAGE(scanned, scanned.error().context);
      CHECK(journal.texts() == journal.acknowledged);
    }
  }
}
