// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_proof.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;

namespace {

/// A log of requests, and a store that has what the test says.
struct fixture {
  fixture() {
    lines.add("a", "zero\none\n\ntwo\n");
    lines.add("b", "three");
  }

  line_stock lines = *line_stock::with_room(16);
  request_log log = *request_log::make(16);

  void acknowledged(std::uint32_t stream, std::uint32_t line,
                    std::uint64_t place) {
    log.acknowledged(*log.sent(stream, line), sequence{place});
  }
  void cut_off(std::uint32_t stream, std::uint32_t line) {
    REQUIRE(log.sent(stream, line));
  }

  /// Compares streams of which these entries are there, from sequence 0.
  [[nodiscard]] proof_figures
  proof(const std::vector<std::vector<std::string>>& stored) const {
    demo_proof proof{log, lines, stored.size()};
    for (std::uint32_t stream = 0; stream < stored.size(); ++stream) {
      std::vector<entry_view> entries;
      for (const auto& text : stored[stream])
        entries.push_back(
          {sequence{entries.size()}, 0, as_bytes(text), bytes_view{}});
      proof.check(stream, entries);
      proof.finish(stream);
    }
    return proof.figures();
  }
};

} // namespace

TEST_SUITE("demo_proof") {
  TEST_CASE_FIXTURE(fixture, "lines are those of the files, without empty ones") {
    CHECK(lines.lines() == 4);
    REQUIRE(lines.files().size() == 2);
    CHECK(lines.files()[1].first == 3);
    CHECK(as_text(lines.line(2)) == "two");
    lines.add("empty", "\n \n");
    CHECK(lines.files().size() == 2);
  }

  TEST_CASE_FIXTURE(fixture, "lines beyond the room are left out") {
    lines.add("c", "4\n5\n6");
    CHECK(lines.lines() == 5);
    CHECK(lines.files().back().count == 1);
    lines.add("d", "7");
    CHECK(lines.files().size() == 3);
  }

  TEST_CASE_FIXTURE(fixture, "a full log takes no more requests") {
    for (int i = 0; i < 16; ++i)
      cut_off(0, 0);
    CHECK_FALSE(log.sent(0, 0));
    CHECK(log.size() == 16);
    CHECK(log.answers() == 0);
  }

  TEST_CASE_FIXTURE(fixture, "it holds when all that was acknowledged is there") {
    acknowledged(0, 0, 0);
    acknowledged(0, 1, 1);
    acknowledged(1, 3, 0);
    const auto found = proof({{"zero", "one"}, {"three"}});
    CHECK(found.holds());
    CHECK(found.acknowledged == 3);
    CHECK(found.verified == 3);
    CHECK(found.verified_bytes == 12);
    CHECK(found.streams == 2);
  }

  TEST_CASE_FIXTURE(fixture, "an acknowledged entry at the end is missed") {
    acknowledged(0, 0, 0);
    acknowledged(0, 1, 1);
    const auto found = proof({{"zero"}});
    CHECK_FALSE(found.holds());
    CHECK(found.missing == 1);
  }

  TEST_CASE_FIXTURE(fixture, "a stream that lost everything is missed") {
    acknowledged(1, 0, 0);
    CHECK(proof({{}, {}}).missing == 1);
  }

  TEST_CASE_FIXTURE(fixture, "an entry with other bytes is found") {
    acknowledged(0, 0, 0);
    const auto found = proof({{"zerO"}});
    CHECK_FALSE(found.holds());
    CHECK(found.different == 1);
  }

  TEST_CASE_FIXTURE(fixture, "two acknowledgements of one place are found") {
    acknowledged(0, 0, 0);
    acknowledged(0, 0, 0);
    const auto found = proof({{"zero"}});
    CHECK_FALSE(found.holds());
    CHECK(found.duplicates == 1);
  }

  TEST_CASE_FIXTURE(fixture, "an entry that nobody asked for is found") {
    acknowledged(0, 0, 0);
    const auto found = proof({{"zero", "one"}});
    CHECK_FALSE(found.holds());
    CHECK(found.foreign == 1);
  }

  TEST_CASE_FIXTURE(fixture, "an unanswered append may be there or not") {
    acknowledged(0, 0, 0);
    cut_off(0, 1);
    CHECK(proof({{"zero"}}).holds());
    const auto found = proof({{"zero", "one"}});
    CHECK(found.holds());
    CHECK(found.unanswered == 1);
    CHECK(found.kept == 1);
  }

  TEST_CASE_FIXTURE(fixture, "an unanswered append may not be there twice") {
    cut_off(0, 1);
    const auto found = proof({{"one", "one"}});
    CHECK_FALSE(found.holds());
    CHECK(found.kept == 1);
    CHECK(found.foreign == 1);
  }

  TEST_CASE_FIXTURE(fixture, "nor in another stream, nor in part") {
    cut_off(0, 1);
    CHECK(proof({{}, {"one"}}).foreign == 1);
    CHECK(proof({{"on"}, {}}).foreign == 1);
  }

  TEST_CASE_FIXTURE(fixture, "a gap in the sequences is found") {
    acknowledged(0, 0, 0);
    acknowledged(0, 1, 1);
    demo_proof gap{log, lines, 1};
    gap.check(0, {{sequence{1}, 0, lines.line(1), bytes_view{}}});
    gap.finish(0);
    CHECK_FALSE(gap.figures().holds());
    CHECK(gap.figures().gaps == 1);
  }
}
