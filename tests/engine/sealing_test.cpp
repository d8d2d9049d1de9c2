// SPDX-License-Identifier: Apache-2.0
// What becomes of seals and merges when something is refused.
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
