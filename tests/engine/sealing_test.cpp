// SPDX-License-Identifier: Apache-2.0
// What becomes of seals and merges when something is refused.
#include "runtime/segment_files.hpp"
#include "tests/engine/scripted_store.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <optional>

using namespace torpor;
using namespace torpor::test;

namespace {

struct sealing_store : scripted_store {
  sealing_store() {
    must_open();
    REQUIRE(append("slow", 100));
  }

  std::string segment_path(std::uint64_t number) const {
    return segment_directory(config.data_dir) + "/"
           + segment_file_name(number);
  }

  std::optional<errc> compact() {
    std::optional<errc> outcome;
    running().compact([&](const result<void>& done) {
      outcome = done ? errc{} : done.error().code;
    });
    run();
    return outcome;
  }
};

} // namespace

TEST_SUITE("sealing") {
  TEST_CASE_FIXTURE(sealing_store, "records are saved though a seal fails") {
    disk->fail(disk_call::sync_directory, 1, EIO, true);
    while (state().journal_first == 1)
      REQUIRE(append("fill/0", 6000));
    CHECK(state().segments.empty());
    CHECK(state().unsealed_first == 1);
    disk->heal();
    CHECK(check_all() == "");
  }

  TEST_CASE_FIXTURE(sealing_store, "a refused update after a merge keeps the "
                                   "old list, and the next merge goes well") {
    REQUIRE(append_until_sealed(4));
    const auto before = state();
    REQUIRE(before.segments.size() == 4);
    std::uint64_t last = 0; // Update of a compaction: the merge's.
    {
      sealing_store same;
      REQUIRE(same.append_until_sealed(4));
      const auto start = same.updates();
      REQUIRE(same.compact() == errc{});
      last = same.updates() - start;
    }
    fail_update(last, false);
    CHECK(compact() == errc::io_failed);
    CHECK(state().segments == before.segments);
    CHECK(check_entries() == "");
    CHECK(compact() == errc{});
    CHECK(state().segments.size() == 1);
    stop();
    must_open(); // Removes what the refused merge has made.
    CHECK(check_all() == "");
  }

  TEST_CASE_FIXTURE(sealing_store, "a damaged segment stays, and the others are "
                                   "merged without it") {
    REQUIRE(append_until_sealed(4));
    const auto before = state().segments;
    const auto damaged = before[1].number;
    const auto path = segment_path(damaged);
    disk->flip_bit(path, 100, 3);
    CHECK(compact() == errc::corrupt);
    const auto after = state().segments;
    REQUIRE(after.size() == 3);
    CHECK(after[0].number != before[0].number);
    CHECK(after[1].number == damaged);
    CHECK(after[2].journal_last == before[3].journal_last);
    // What was merged meanwhile is not merged with it either.
    REQUIRE(append_until_sealed(after.size() + 1));
    CHECK(state().segments[1].number == damaged);
    disk->flip_bit(path, 100, 3);
    CHECK(check_entries() == "");
  }

  TEST_CASE_FIXTURE(sealing_store, "no segment is removed while a listed one is "
                                   "missing") {
    REQUIRE(append_until_sealed(3));
    const auto missing = segment_path(state().segments[0].number);
    const auto unlisted = segment_path(1000);
    stop();
    disk->remove_raw(missing);
    {
      auto made = disk->open(unlisted, open_mode::create);
      REQUIRE(made);
      REQUIRE((*made)->sync());
      REQUIRE(disk->sync_directory(segment_directory(config.data_dir)));
    }
    must_open();
    CHECK(disk->open(unlisted, open_mode::read));
    CHECK(append("another", 10)); // Nothing else is harmed.
  }

  TEST_CASE_FIXTURE(sealing_store, "a stop behind a failed sync ends, and "
                                   "nothing acknowledged is lost") {
    disk->fail(disk_call::sync, 1, EIO, true);
    CHECK_FALSE(append("slow", 100));
    stop();
    CHECK_FALSE(is_open());
    kill();
    disk->heal();
    disk->restart();
    must_open();
    CHECK(check_all() == "");
  }
}
