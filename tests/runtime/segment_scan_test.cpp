// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_scan.hpp"

#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Steps to the end; how many steps gave something and how many failed.
template <class Scan>
std::pair<int, int> run(Scan scan) {
  int given = 0;
  int failed = 0;
  for (;;) {
    const auto step = scan.next();
    if (!step)
      ++failed;
    else if (!*step)
      return {given, failed};
    else
      ++given;
  }
}

} // namespace

TEST_SUITE("segment_scan") {
  TEST_CASE_FIXTURE(segment_fixture, "blocks and rows come in order") {
    write(random_blocks(4, 800));
    const auto told = join(random_blocks(4, 800));
    CHECK(entries() == told);
    const auto all = rows();
    REQUIRE(all.size() == 800);
    for (std::size_t i = 1; i < all.size(); ++i) {
      CHECK(raw(all[i - 1].stream) < raw(all[i].stream));
      CHECK(all[i].position == all[i - 1].position + all[i - 1].bytes);
    }
  }

  TEST_CASE_FIXTURE(segment_fixture, "a scan reads in large pieces") {
    config.compression_level = 0;
    write(random_blocks(4, 800));
    const auto opened = open();
    const auto bytes = opened->summary().file_bytes;
    REQUIRE(bytes > 8 * segment_window::piece_bytes);
    auto reads = disk.count(disk_call::read);
    CHECK(run(segment_block_scan{opened}).second == 0);
    reads = disk.count(disk_call::read) - reads;
    CHECK(reads >= bytes / segment_window::piece_bytes);
    CHECK(reads <= bytes / segment_window::piece_bytes * 5 / 4 + 1);
    reads = disk.count(disk_call::read);
    CHECK(run(segment_row_scan{opened}).first == 800);
    CHECK(disk.count(disk_call::read) == reads + 1);
  }

  TEST_CASE_FIXTURE(segment_fixture, "a scan goes on behind a damaged chunk") {
    std::vector<told_block> told;
    for (std::uint64_t i = 1; i <= 5; ++i)
      told.push_back(tell(i, 0, 1, 1000, 60'000));
    write(told);
    const auto opened = open();
    REQUIRE(opened->chunks() == 5);
    CHECK(run(segment_block_scan{opened}) == std::pair{5, 0});
    disk.flip_bit(path, opened->chunk(1).offset + 20, 1);
    disk.flip_bit(path, opened->chunk(4).offset + 20, 1);
    CHECK(run(segment_block_scan{opened}) == std::pair{3, 2});
    CHECK(run(segment_chunk_scan{opened}) == std::pair{3, 2});
  }

  TEST_CASE_FIXTURE(segment_fixture, "a scan goes on behind a damaged page") {
    write(random_blocks(4, 2000));
    const auto opened = open();
    const auto first = opened->find(opened->page(1).first).value().value();
    const auto behind = opened->find(opened->page(2).first).value().value();
    disk.flip_bit(path, opened->page(1).offset + 20, 1);
    segment_row_scan scan{opened};
    std::vector<segment_row> all;
    for (;;) {
      const auto row = scan.next();
      if (!row) {
        CHECK(row.error().code == errc::corrupt);
        CHECK(scan.page() == 1);
        CHECK(raw(all.back().stream) < raw(first.stream));
      } else if (*row) {
        all.push_back(**row);
      } else {
        break;
      }
    }
    CHECK(all.size() < 2000);
    CHECK(std::find(all.begin(), all.end(), first) == all.end());
    CHECK(std::find(all.begin(), all.end(), behind) != all.end());
  }

  TEST_CASE_FIXTURE(segment_fixture, "a scan repeats what the disk refused") {
    write(random_blocks(4, 800));
    const auto opened = open();
    const auto whole = run(segment_block_scan{opened});
    disk.fail(disk_call::read, 2, EIO);
    CHECK(run(segment_block_scan{opened})
          == std::pair{whole.first, whole.second + 1});
    disk.fail(disk_call::read, 1, EIO);
    CHECK(run(segment_row_scan{opened}) == std::pair{800, 1});
  }
}
