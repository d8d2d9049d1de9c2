// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_verify.hpp"

#include "runtime/segment_page.hpp"
#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Stream, first and next of a damage.
using range = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;

class verified_segment : public segment_fixture {
public:
  segment_report verify() {
    const auto report = verify_segment(open());
    REQUIRE_MESSAGE(report, report.error().context);
    return *report;
  }

  std::vector<range> damages() {
    std::vector<range> all;
    for (const auto& damage : verify().damages)
      all.emplace_back(raw(damage.stream), raw(damage.first), raw(damage.next));
    return all;
  }

  /// A sound file whose writer was wrong: its chunks stay, the index is made
  /// anew from what `spoil` does to it.
  void rewrite_index(
    const std::function<void(segment_footer&, std::vector<segment_row>&)>&
      spoil) {
    const auto whole = file_bytes();
    const auto trailer = decode_segment_trailer(
                           bytes_view{whole}.last(segment_trailer_bytes),
                           whole.size())
                           .value();
    const auto header = decode_segment_header(whole).value().checksum;
    const bytes_view old{whole.data() + trailer.offset, trailer.bytes};
    auto footer = decode_segment_footer(old, trailer, header).value();
    auto all = rows();
    const auto begin = footer.chunks.back().offset;
    spoil(footer, all);
    page_builder builder;
    for (const auto& row : all)
      builder.add(row);
    const auto pages = builder.finish();
    footer.pages = builder.places();
    for (auto& page : footer.pages)
      page.offset += begin;
    byte_buffer file;
    file.append(bytes_view{whole}.first(begin));
    file.append(pages);
    const auto footer_begin = file.size();
    encode(footer, header, file);
    const auto written = file.view().subspan(footer_begin);
    std::array<std::byte, segment_trailer_bytes> tail;
    encode({footer_begin, written.size(), checksum_of(written)}, tail.data());
    file.append(tail);
    put_file(file.view());
  }

  void flip_in_chunk(std::uint32_t number) {
    disk.flip_bit(path, open()->chunk(number).offset + 20, 1);
  }
};

/// Enough for some pages.
std::vector<told_block> many_streams() {
  std::vector<told_block> told;
  for (std::uint64_t i = 1; i < 6000; ++i)
    told.push_back(tell(i * 10, 0, 1));
  return told;
}

/// Five chunks: streams 1 and 2 | 2 | 2 and 3 to 5 | 6 | 7.
std::vector<told_block> five_chunks() {
  return {tell(1, 4, 2),
          tell(2, 0, 1, 1000, 60'000),
          tell(2, 1, 1, 2000, 60'000),
          tell(2, 2, 1, 3000, 60'000),
          tell(3, 9, 1),
          tell(4, 0, 1),
          tell(5, 1, 1),
          tell(6, 0, 1, 1000, 60'000),
          tell(7, 0, 1, 1000, 60'000)};
}

} // namespace

TEST_SUITE("segment_verify") {
  TEST_CASE_FIXTURE(verified_segment, "a sound segment has no damage") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      auto told = random_blocks(seed, 700);
      // Without the gaps.
      for (std::size_t i = 1; i < told.size(); ++i)
        if (told[i].front().stream == told[i - 1].front().stream) {
          auto seq = told[i - 1].back().seq;
          for (auto& entry : told[i])
            entry.seq = ++seq;
        }
      const auto written = write(told);
      const auto report = verify();
      for (const auto& damage : report.damages)
        FAIL(damage.text);
      CHECK(report.found == written);
    }
    const auto empty = write({});
    CHECK(verify().found == empty);
    CHECK(damages().empty());
  }

  TEST_CASE_FIXTURE(verified_segment, "a damaged chunk names what it held") {
    write(five_chunks());
    REQUIRE(open()->chunks() == 5);
    REQUIRE(damages().empty());
    const std::vector<std::vector<range>> lost{
      {{1, 4, 6}, {2, 0, 1}},
      {{2, 1, 2}},
      {{2, 2, 3}, {3, 9, 10}, {4, 0, 1}, {5, 1, 2}},
      {{6, 0, 1}},
      {{7, 0, 1}}};
    for (std::uint32_t i = 0; i < 5; ++i) {
      CAPTURE(i);
      flip_in_chunk(i);
      CHECK(damages() == lost[i]);
      CHECK(
        verify().damages[0].text.find("'" + path + "' is damaged at byte "
                                      + std::to_string(open()->chunk(i).offset))
        == 0);
      flip_in_chunk(i);
    }
  }

  TEST_CASE_FIXTURE(verified_segment, "all damaged chunks are named") {
    write(five_chunks());
    for (const std::uint32_t i : {0u, 1u, 4u})
      flip_in_chunk(i);
    CHECK(damages()
          == std::vector<range>{{1, 4, 6}, {2, 0, 1}, {2, 1, 2}, {7, 0, 1}});
    CHECK(verify().found.entries == 5);
    for (const std::uint32_t i : {2u, 3u})
      flip_in_chunk(i);
    CHECK(damages().size() == 9);
    CHECK(verify().found.entries == 0);
  }

  TEST_CASE_FIXTURE(verified_segment, "a damaged page is one damage") {
    write(many_streams());
    const auto opened = open();
    REQUIRE(opened->pages() > 3);
    for (std::uint32_t page = 0; page < opened->pages(); ++page) {
      disk.flip_bit(path, opened->page(page).offset + 30, 2);
      CHECK(damages()
            == std::vector<range>{{raw(opened->page(page).first), 0, 0}});
      disk.flip_bit(path, opened->page(page).offset + 30, 2);
    }
    // Together with a chunk: what the index still knows is named.
    disk.flip_bit(path, opened->page(1).offset + 30, 2);
    flip_in_chunk(0);
    CHECK(damages().size() > 2);
  }

  TEST_CASE_FIXTURE(verified_segment, "missing entries are named") {
    write({tell(5, 0, 2), tell(5, 7, 2, 2000), tell(6, 3, 1)});
    CHECK(damages() == std::vector<range>{{5, 2, 7}});
  }

  TEST_CASE_FIXTURE(verified_segment, "a disk that fails is no damage") {
    write(five_chunks());
    const auto opened = open();
    for (const std::uint64_t nth : {1, 2}) {
      disk.fail(disk_call::read, nth, EIO);
      const auto failed = verify_segment(opened);
      REQUIRE_FALSE(failed);
      CHECK(failed.error().code == errc::io_failed);
    }
  }

  // -- sound files of a writer that was wrong --------------------------------

  TEST_CASE_FIXTURE(verified_segment, "a row that lies is found") {
    const std::vector<std::function<void(segment_row&)>> lies{
      [](segment_row& row) { row.first = row.first + 1; },
      [](segment_row& row) { row.next = row.next + 1; },
      [](segment_row& row) { row.first_ms -= 1; },
      [](segment_row& row) { row.last_ms += 1; },
    };
    for (const auto& lie : lies) {
      write({tell(4, 0, 2), tell(5, 0, 3), tell(6, 0, 3)});
      rewrite_index([&](auto&, auto& all) { lie(all[1]); });
      const auto found = damages();
      REQUIRE(found.size() == 1);
      CHECK(std::get<0>(found[0]) == 5);
    }
  }

  TEST_CASE_FIXTURE(verified_segment, "a row of wrong place is found") {
    write(many_streams());
    const auto first = open()->page(1).first;
    rewrite_index([&](auto&, auto& all) {
      for (auto& row : all)
        if (row.stream == first)
          --row.position; // Its page says so.
    });
    const auto found = damages();
    REQUIRE_FALSE(found.empty());
    CHECK(std::get<0>(found[0]) == raw(first));
  }

  TEST_CASE_FIXTURE(verified_segment, "a page that makes no sense is found") {
    write(many_streams());
    const auto opened = open();
    auto bytes = file_bytes();
    const auto begin = opened->page(1).offset;
    const auto end = opened->page(2).offset;
    for (auto at = begin + 200; at < begin + 220; ++at)
      bytes[at] = std::byte{0xff};
    const auto sum = checksum_of(
      bytes_view{bytes}.subspan(begin + 8, end - begin - 8));
    std::memcpy(bytes.data() + begin, &sum, sizeof sum);
    put_file(bytes);
    CHECK(damages() == std::vector<range>{{raw(opened->page(1).first), 0, 0}});
    CHECK(open()->find(stream_id{raw(opened->page(2).first) - 10}).error().code
          == errc::corrupt);
    CHECK(open()->find(opened->page(2).first).value());
  }

  TEST_CASE_FIXTURE(verified_segment, "pages that changed places are found") {
    write(many_streams());
    const auto opened = open();
    const auto size = [&](std::uint32_t page) {
      return opened->page(page + 1).offset - opened->page(page).offset;
    };
    std::uint32_t page = 1;
    while (page + 1 < opened->pages() && size(page) != size(page + 1))
      ++page;
    REQUIRE(page + 1 < opened->pages());
    auto bytes = file_bytes();
    auto* one = bytes.data() + opened->page(page).offset;
    std::swap_ranges(one, one + size(page), one + size(page));
    put_file(bytes);
    CHECK(damages()
          == std::vector<range>{{raw(opened->page(page).first), 0, 0},
                                {raw(opened->page(page + 1).first), 0, 0}});
    CHECK_FALSE(open()->find(opened->page(page).first).value());
  }

  TEST_CASE_FIXTURE(verified_segment, "a row of wrong size is found") {
    for (const std::uint64_t more : {1, -1}) {
      write({tell(4, 0, 2), tell(5, 0, 3), tell(6, 0, 3)});
      rewrite_index([&](auto&, auto& all) { all[0].bytes += more; });
      CHECK_FALSE(damages().empty());
    }
  }

  TEST_CASE_FIXTURE(verified_segment, "a row too few or too many is found") {
    write({tell(4, 0, 2), tell(5, 0, 3), tell(6, 0, 3)});
    rewrite_index([](auto&, auto& all) { all.pop_back(); });
    CHECK(damages() == std::vector<range>{{6, 0, 3}});
    write({tell(4, 0, 2), tell(5, 0, 3), tell(6, 0, 3)});
    rewrite_index([](auto&, auto& all) {
      auto row = all.back();
      row.stream = stream_id{7};
      all.push_back(row);
    });
    CHECK_FALSE(damages().empty());
  }

  TEST_CASE_FIXTURE(verified_segment, "a directory that lies is found") {
    const std::vector<std::function<void(chunk_place&)>> lies{
      [](chunk_place& chunk) { chunk.stream = stream_id{5}; },
      [](chunk_place& chunk) { chunk.first = sequence{1}; },
      [](chunk_place& chunk) { chunk.first_ms += 1; },
    };
    for (const auto& lie : lies) {
      write(five_chunks());
      rewrite_index([&](auto& footer, auto&) { lie(footer.chunks[3]); });
      CHECK(damages() == std::vector<range>{{6, 0, 1}});
    }
  }

  TEST_CASE_FIXTURE(verified_segment, "a summary that lies is found") {
    const std::vector<std::function<void(segment_summary&)>> lies{
      [](segment_summary& sum) { ++sum.streams; },
      [](segment_summary& sum) { ++sum.entries; },
      [](segment_summary& sum) { ++sum.payload_bytes; },
      [](segment_summary& sum) { --sum.first_ms; },
      [](segment_summary& sum) { ++sum.last_ms; },
    };
    for (const auto& lie : lies) {
      write(five_chunks());
      rewrite_index([&](auto& footer, auto&) { lie(footer.summary); });
      CHECK(damages() == std::vector<range>{{0, 0, 0}});
    }
  }
}
