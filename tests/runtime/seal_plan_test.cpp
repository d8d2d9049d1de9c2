// SPDX-License-Identifier: Apache-2.0
#include "runtime/seal_plan.hpp"

#include "runtime/journal_seal.hpp"
#include "tests/support/journal_fixture.hpp"

#include <doctest/doctest.h>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr auto durable = commit_outcome::durable;

/// Files 1 to 3 with frames 1 to 12, five to a full file.
struct sealing : journal_fixture {
  sealing() {
    REQUIRE(disk.make_directory("segments"));
    open();
    for (int n = 0; n < 12; ++n)
      REQUIRE(commit(std::string(10'000, 'x')) == durable);
  }

  seal_range planned(const seal_range& all) {
    const auto plan = plan_seal(disk, config, all);
    REQUIRE_MESSAGE(plan, plan.error().context);
    return plan->value_or(seal_range{0, 0, 0, 0});
  }

  result<segment_summary> seal(const seal_range& range) {
    segment_config made;
    made.store = config.store;
    made.number = 1;
    made.journal_first = range.first;
    made.journal_last = range.last;
    return seal_journal(disk, config, range, "segments", made);
  }

  /// Demands that sealing files 1 and 2 fails, naming that one.
  void refuse(std::uint32_t number) {
    const auto sealed = seal({1, 2, 1, 11});
    REQUIRE_FALSE(sealed);
    CHECK(sealed.error().code == errc::corrupt);
    CHECK(sealed.error().context.find("'" + path(number) + "'")
          != std::string::npos);
    CHECK(disk.list("segments")->empty());
  }
};

bool equal(const seal_range& a, const seal_range& b) {
  return a.first == b.first && a.last == b.last
         && a.frame_first == b.frame_first && a.frame_end == b.frame_end;
}

} // namespace

TEST_SUITE("seal_plan") {
  TEST_CASE_FIXTURE(sealing, "a seal takes about one full file at a time") {
    CHECK(equal(planned({1, 2, 1, 0}), {1, 1, 1, 6}));
    CHECK(equal(planned({2, 2, 6, 0}), {2, 2, 6, 11}));
    CHECK(planned({3, 2, 11, 0}).last == 0);
  }

  TEST_CASE_FIXTURE(sealing, "the last file is sealed up to its known end") {
    CHECK(equal(planned({3, 3, 11, 13}), {3, 3, 11, 13}));
    CHECK(planned({3, 3, 11, 0}).last == 0);
  }

  TEST_CASE_FIXTURE(sealing, "a missing file is named, and nothing is sealed") {
    SUBCASE("the first") {
      disk.remove_raw(path(1));
      refuse(1);
    }
    SUBCASE("the last") {
      disk.remove_raw(path(2));
      refuse(2);
    }
  }

  TEST_CASE_FIXTURE(sealing, "a file that lost its end is named") {
    disk.truncate_raw(path(1), 3 * 12'288);
    refuse(1);
  }
}
