// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_verify.hpp"

#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Reads everything in every way. What is given must be what was written; all
/// else must be `corrupt` and name path and byte.
class suspicious_reader {
public:
  suspicious_reader(segment_fixture& from, told_block told)
    : from_{from},
      told_{std::move(told)},
      summary_{from.open()->summary()},
      rows_{from.rows()} {}

  /// False if nothing was wrong.
  bool finds_damage() {
    damaged_ = false;
    const auto opened = from_.try_open();
    if (!good(opened))
      return true;
    REQUIRE((*opened)->summary() == summary_);
    check_rows(*opened);
    check_entries(*opened);
    const auto report = verify_segment(*opened);
    REQUIRE(report);
    REQUIRE(report->damages.empty() != damaged_);
    return damaged_;
  }

private:
  template <class T>
  bool good(const result<T>& got) {
    if (got)
      return true;
    damaged_ = true;
    REQUIRE_MESSAGE(got.error().code == errc::corrupt, got.error().context);
    REQUIRE(got.error().context.find(from_.path) != std::string::npos);
    REQUIRE(got.error().context.find("at byte ") != std::string::npos);
    return false;
  }

  void check_rows(const std::shared_ptr<const segment>& opened) {
    for (const auto& row : rows_)
      if (const auto found = opened->find(row.stream); good(found))
        REQUIRE(*found == row);
    std::size_t given = 0;
    segment_row_scan scan{opened};
    for (;;) {
      const auto row = scan.next();
      if (!good(row))
        continue;
      if (!*row)
        break;
      REQUIRE(std::find(rows_.begin(), rows_.end(), **row) != rows_.end());
      ++given;
    }
    REQUIRE((damaged_ || given == rows_.size()));
  }

  void check_entries(const std::shared_ptr<const segment>& opened) {
    told_block given;
    segment_block_scan scan{opened};
    for (;;) {
      const auto block = scan.next();
      if (!good(block))
        continue;
      if (!*block)
        break;
      take(**block, given);
    }
    auto at = told_.begin();
    for (const auto& entry : given) {
      at = std::find(at, told_.end(), entry);
      REQUIRE(at != told_.end());
    }
    REQUIRE((damaged_ || given.size() == told_.size()));
  }

  segment_fixture& from_;
  told_block told_;
  segment_summary summary_;
  std::vector<segment_row> rows_;
  bool damaged_ = false;
};

template <class T>
bool damaged(const result<T>& got) {
  return !got && got.error().code == errc::corrupt;
}

/// Three streams in one chunk; less than a kilobyte.
std::vector<told_block> small_blocks() {
  dice chance{5};
  std::vector<told_block> told{tell(5, 7, 4, 1000, 30), tell(9, 0, 2),
                               tell(12, 3, 1)};
  told.back().front().payload = noise(chance, 300);
  told.back().front().properties = {{"key", "value"}};
  return told;
}

} // namespace

TEST_SUITE("segment_damage") {
  TEST_CASE_FIXTURE(segment_fixture, "no flipped byte gives wrong entries") {
    for (const int level : {0, 3}) {
      config.compression_level = level;
      write(small_blocks());
      suspicious_reader reader{*this, join(small_blocks())};
      REQUIRE_FALSE(reader.finds_damage());
      const auto bytes = file_bytes().size();
      CHECK(bytes < 1024);
      for (std::uint64_t at = 0; at < bytes; ++at)
        for (const unsigned bit : {0u, 3u, 7u}) {
          CAPTURE(at);
          disk.flip_bit(path, at, bit);
          REQUIRE(reader.finds_damage());
          disk.flip_bit(path, at, bit);
        }
      CHECK_FALSE(reader.finds_damage());
    }
  }

  TEST_CASE_FIXTURE(segment_fixture, "no cut file gives wrong entries") {
    write(small_blocks());
    suspicious_reader reader{*this, join(small_blocks())};
    const auto whole = file_bytes();
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      CAPTURE(bytes);
      put_file(bytes_view{whole}.first(bytes));
      REQUIRE(reader.finds_damage());
    }
    auto longer = whole;
    longer.push_back(std::byte{});
    put_file(longer);
    REQUIRE(reader.finds_damage());
  }

  TEST_CASE_FIXTURE(segment_fixture,
                    "a file that is cut while open is damage") {
    write(random_blocks(1, 200));
    const auto opened = open();
    REQUIRE(opened->chunks() > 3);
    const auto last = opened->chunks() - 1;
    disk.truncate_raw(path, opened->chunk(last).offset + 10);
    CHECK(opened->read(0));
    const auto refused = opened->read(last);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::corrupt);
    CHECK(refused.error().context.find("ends too early") != std::string::npos);
    CHECK(damaged(opened->find(opened->page(0).first)));
  }

  TEST_CASE_FIXTURE(segment_fixture,
                    "bytes that belong to no part are damage") {
    write(small_blocks());
    const auto whole = file_bytes();
    const auto tail_at = whole.size() - segment_trailer_bytes;
    const auto place = [](std::size_t at) {
      return static_cast<std::ptrdiff_t>(at);
    };
    auto trailer = decode_segment_trailer(bytes_view{whole}.subspan(tail_at),
                                          whole.size())
                     .value();
    auto before_trailer = whole;
    before_trailer.insert(before_trailer.begin() + place(tail_at), std::byte{});
    put_file(before_trailer);
    REQUIRE(damaged(try_open()));
    auto before_footer = whole;
    before_footer.insert(before_footer.begin() + place(trailer.offset),
                         std::byte{});
    ++trailer.offset;
    encode(trailer, before_footer.data() + tail_at + 1);
    put_file(before_footer);
    REQUIRE(damaged(try_open()));
  }

  TEST_CASE_FIXTURE(segment_fixture,
                    "damage in one chunk costs only that one") {
    const auto told = join(random_blocks(1, 200));
    write(random_blocks(1, 200));
    suspicious_reader reader{*this, told};
    const auto opened = open();
    REQUIRE(opened->chunks() > 3);
    disk.flip_bit(path, opened->chunk(2).offset + 20, 1);
    REQUIRE(reader.finds_damage());
    for (std::uint32_t i = 0; i < opened->chunks(); ++i)
      CHECK(opened->read(i).has_value() == (i != 2));
  }
}
