// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_rebuild.hpp"

#include "runtime/journal_seal.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_merge.hpp"
#include "tests/support/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// A journal, what it was sealed to, and the state as the catalog has it.
class sealed_journal : public journal_fixture {
public:
  sealed_journal() {
    REQUIRE(disk.make_directory("segments"));
    open();
    // Three a file: eleven files, and a little in the last one.
    for (int i = 0; i < 31; ++i)
      REQUIRE(commit(std::string(18'000, 'x'), 7 + 256 * (i % 5))
              == commit_outcome::durable);
    state.incarnation = config.incarnation;
  }

  static std::string segment_path(std::uint64_t number) {
    return "segments/" + segment_file_name(number);
  }

  segment_config next_segment(std::uint32_t first, std::uint32_t last) {
    return {config.store, state.next_segment++, first, last, 0};
  }

  /// Writes a segment that nobody knows.
  segment_summary write(std::uint32_t last) {
    const auto first = static_cast<std::uint32_t>(state.unsealed_first);
    const auto behind = first_frame(disk, config, last + 1).value();
    REQUIRE(behind);
    frame_end = *behind;
    const auto sealed = seal_journal(
      disk, config, {first, last, state.frame_first, frame_end}, "segments",
      next_segment(first, last));
    REQUIRE_MESSAGE(sealed, sealed.error().context);
    return *sealed;
  }

  void seal(std::uint32_t last) {
    state.segments.push_back(write(last));
    state.unsealed_first = state.journal_first = last + 1;
    state.frame_first = frame_end;
    REQUIRE(remove_sealed(disk, config, last + 1, 1000));
  }

  segment_summary write_merged(std::size_t begin, std::size_t end) {
    std::vector<std::shared_ptr<const segment>> sources;
    for (auto at = begin; at < end; ++at)
      sources.push_back(
        segment::open(disk, segment_path(state.segments[at].number),
                      config.store)
          .value());
    const auto merged = merge_segments(
      disk, sources, "segments",
      next_segment(state.segments[begin].journal_first,
                   state.segments[end - 1].journal_last),
      [](stream_id) { return std::optional{sequence{}}; },
      [] { return false; });
    REQUIRE_MESSAGE(merged, merged.error().context);
    return *merged;
  }

  /// Merges and leaves the sources where they are.
  void merge(std::size_t begin, std::size_t end) {
    const auto merged = write_merged(begin, end);
    const auto at = state.segments.begin() + static_cast<std::ptrdiff_t>(begin);
    *at = merged;
    state.segments.erase(at + 1,
                         at + static_cast<std::ptrdiff_t>(end - begin));
  }

  rebuilt_state rebuild(std::optional<catalog_state> known = {}) {
    auto made = rebuild_state(disk, config, "segments", known);
    REQUIRE_MESSAGE(made, made.error().context);
    return std::move(*made);
  }

  std::string refused(const std::optional<catalog_state>& known = {}) {
    const auto made = rebuild_state(disk, config, "segments", known);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == errc::corrupt);
    return made.error().context;
  }

  catalog_state state;
  std::uint64_t frame_end = 0;
};

bool mentions(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

} // namespace

TEST_SUITE("segment_rebuild") {
  TEST_CASE_FIXTURE(sealed_journal, "without segments nothing is sealed") {
    CHECK(rebuild().state == state);
  }

  TEST_CASE_FIXTURE(sealed_journal, "after seals the state is the catalog's") {
    for (const std::uint32_t last : {1u, 3u, 4u, 10u}) {
      seal(last);
      const auto made = rebuild();
      REQUIRE(made.state == state);
      REQUIRE(made.left.empty());
    }
  }

  TEST_CASE_FIXTURE(sealed_journal, "after merges the state is the catalog's") {
    for (std::uint32_t last = 1; last <= 8; ++last)
      seal(last);
    merge(2, 5);
    CHECK(rebuild().state == state);
    CHECK(rebuild().left.size() == 3);
    merge(0, 3);
    CHECK(rebuild().state == state);
    merge(0, 1); // For space.
    CHECK(rebuild().state == state);
    for (std::uint64_t number = 1; number <= 5; ++number)
      disk.remove_raw(segment_path(number));
    CHECK(rebuild().state == state);
    CHECK(rebuild().left.size() == 2); // What the merges made in between.
  }

  TEST_CASE_FIXTURE(sealed_journal,
                    "a merged segment that is damaged gives way to its sources") {
    for (std::uint32_t last = 1; last <= 4; ++last)
      seal(last);
    const auto merged = write_merged(0, 3);
    disk.flip_bit(segment_path(merged.number), 70'000, 1);
    const auto made = rebuild();
    CHECK(made.state == state);
    REQUIRE(made.left.size() == 1);
    CHECK(made.left[0].path == segment_path(merged.number));
    CHECK(mentions(made.left[0].text, "checksum"));
  }

  TEST_CASE_FIXTURE(sealed_journal, "a file that was cut off gives way, too") {
    for (std::uint32_t last = 1; last <= 3; ++last)
      seal(last);
    const auto merged = write_merged(0, 2);
    disk.truncate_raw(segment_path(merged.number), 1000);
    const auto made = rebuild();
    CHECK(made.state == state);
    CHECK(made.left.size() == 1);
  }

  TEST_CASE_FIXTURE(sealed_journal,
                    "what the journal has in whole is not taken for saved") {
    seal(3);
    const auto orphan = write(5); // The checkpoint did not come any more.
    const auto made = rebuild();
    CHECK(made.state == state);
    REQUIRE(made.left.size() == 1);
    CHECK(made.left[0].path == segment_path(orphan.number));
  }

  TEST_CASE_FIXTURE(sealed_journal,
                    "what the catalog says was saved stays sealed") {
    state.segments.push_back(write(3));
    state.unsealed_first = state.journal_first = 4;
    state.frame_first = frame_end;
    state.incarnation = 9;
    state.next_segment = 20;
    CHECK(rebuild(state).state == state);
    CHECK(rebuild().state.segments.empty());
  }

  // -- refusals ---------------------------------------------------------------

  TEST_CASE_FIXTURE(sealed_journal, "a hole between segments is named") {
    for (std::uint32_t last = 1; last <= 4; ++last)
      seal(last);
    disk.remove_raw(segment_path(2));
    const auto text = refused(state);
    CHECK(mentions(text, "files 2 to 2"));
    CHECK(mentions(text, segment_path(3)));
  }

  TEST_CASE_FIXTURE(sealed_journal,
                    "segments of which nothing was left are told, not missed") {
    for (std::uint32_t last = 1; last <= 4; ++last)
      seal(last);
    const auto drop = [&](std::size_t at) {
      disk.remove_raw(segment_path(state.segments[at].number));
      state.segments.erase(state.segments.begin()
                           + static_cast<std::ptrdiff_t>(at));
    };
    using holes = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
    holes expected;
    SUBCASE("in the middle") {
      drop(1);
      expected = {{2, 2}};
    }
    SUBCASE("at both ends") {
      drop(3);
      drop(0);
      expected = {{1, 1}, {4, 4}};
    }
    SUBCASE("all") {
      while (!state.segments.empty())
        drop(0);
      expected = {{1, 4}};
    }
    for (const auto& known : {std::optional<catalog_state>{},
                              std::optional{state}}) {
      const auto made = rebuild(known);
      CHECK(made.holes == expected);
      CHECK(made.state.segments == state.segments);
      CHECK(made.state.unsealed_first == state.unsealed_first);
      CHECK(made.state.frame_first == state.frame_first);
    }
  }

  TEST_CASE_FIXTURE(sealed_journal,
                    "a hole names the file that cannot be used") {
    for (std::uint32_t last = 1; last <= 4; ++last)
      seal(last);
    disk.truncate_raw(segment_path(2), 1000);
    CHECK(mentions(refused(), segment_path(2)));
  }

  TEST_CASE_FIXTURE(sealed_journal,
                    "a hole between segments and journal is named") {
    for (std::uint32_t last = 1; last <= 4; ++last)
      seal(last);
    disk.remove_raw(segment_path(4));
    CHECK(mentions(refused(state), "files 4 to 4"));
  }

  TEST_CASE_FIXTURE(sealed_journal, "a journal that is gone is named") {
    seal(4);
    const auto files = list_journal_files(disk, config).value();
    for (const auto number : files.numbers)
      disk.remove_raw(path(number));
    CHECK(mentions(refused(), journal_file_name(4)));
  }

  TEST_CASE_FIXTURE(sealed_journal, "segments that overlap in part are named") {
    seal(3);
    state.unsealed_first = state.journal_first = 4;
    seal(6);
    const auto overlapping = next_segment(2, 5);
    REQUIRE(segment_writer::create(disk, segment_path(overlapping.number),
                                   overlapping)
              .value()
              .finish());
    const auto text = refused();
    CHECK(mentions(text, segment_path(1)));
    CHECK(mentions(text, segment_path(overlapping.number)));
  }

  TEST_CASE_FIXTURE(sealed_journal,
                    "damage in what is not sealed is named, not covered up") {
    seal(4);
    disk.flip_bit(path(6), 5000, 1);
    CHECK(mentions(refused(), path(6)));
  }

  TEST_CASE_FIXTURE(sealed_journal, "a list is compared with its files") {
    for (std::uint32_t last = 1; last <= 4; ++last)
      seal(last);
    const auto compare = [&] {
      return compare_segments(disk, "segments", config.store, state.segments);
    };
    CHECK(compare().empty());
    disk.remove_raw(segment_path(2));
    disk.truncate_raw(segment_path(3), 1000);
    ++state.segments[3].entries;
    const auto wrong = compare();
    REQUIRE(wrong.size() == 3);
    CHECK(wrong[0].path == segment_path(2));
    CHECK(wrong[2].path == segment_path(4));
  }
}
