// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment.hpp"

#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// The entries of a row's stream in one chunk.
told_block entries_in(const segment& from, const segment_row& row,
                      std::uint32_t number) {
  const auto chunk = from.read(number).value();
  chunk_cursor blocks{from, chunk, segment::offset_in(row, number)};
  told_block entries;
  while (const auto block = blocks.next().value()) {
    if (block->stream != row.stream)
      break;
    take(*block, entries);
  }
  return entries;
}

/// A stream in the middle of others, over several chunks.
std::vector<told_block> long_stream() {
  std::vector<told_block> told;
  for (std::uint64_t i = 0; i < 20; ++i)
    told.push_back(tell(5 + i, 0, 3));
  // Time stands still over chunks and jumps between others.
  for (std::uint64_t i = 0; i < 40; ++i)
    told.push_back(tell(100, 50 + 10 * i, 10,
                        5000 + 1000 * static_cast<std::int64_t>(i / 7), 3000));
  for (auto& block : told)
    if (block.front().stream == 100)
      for (auto& entry : block)
        entry.time_ms = block.front().time_ms;
  told.push_back(tell(101, 0, 3));
  return told;
}

void set_byte(std::vector<std::byte>& bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::byte>(value);
}

/// Makes the checksum of a header that a test changed right again.
void seal_header(std::vector<std::byte>& bytes, std::size_t size) {
  const auto sum = checksum_of(bytes_view{bytes}.first(size - 8));
  std::memcpy(bytes.data() + size - 8, &sum, sizeof sum);
}

} // namespace

TEST_SUITE("segment") {
  TEST_CASE_FIXTURE(segment_fixture, "every stream is found and no other") {
    const auto told = random_blocks(2, 2000);
    write(told);
    const auto opened = open();
    CHECK(opened->pages() > 3);
    std::uint64_t before = 0;
    const auto all = rows();
    CHECK(all.size() == 2000);
    for (const auto& row : all) {
      const auto found = opened->find(row.stream);
      REQUIRE(found);
      REQUIRE(*found == row);
      for (const auto other : {before + 1, raw(row.stream) - 1})
        if (other > before && other < raw(row.stream))
          REQUIRE_FALSE(opened->find(stream_id{other}).value());
      before = raw(row.stream);
    }
    CHECK_FALSE(opened->find(stream_id{0}).value());
    CHECK_FALSE(opened->find(stream_id{before + 1}).value());
  }

  TEST_CASE_FIXTURE(segment_fixture, "a row says where all entries are") {
    const auto told = join(random_blocks(3, 300));
    write(random_blocks(3, 300));
    const auto opened = open();
    told_block found;
    std::uint32_t several = 0;
    for (const auto& row : rows()) {
      told_block of_stream;
      for (std::uint32_t i = 0; i < row.chunks; ++i)
        for (auto& entry : entries_in(*opened, row, row.chunk + i))
          of_stream.push_back(std::move(entry));
      REQUIRE_FALSE(of_stream.empty());
      CHECK(raw(row.first) == of_stream.front().seq);
      CHECK(raw(row.next) == of_stream.back().seq + 1);
      CHECK(row.first_ms == of_stream.front().time_ms);
      CHECK(row.last_ms == of_stream.back().time_ms);
      several += row.chunks > 1 ? 1 : 0;
      found.insert(found.end(), of_stream.begin(), of_stream.end());
    }
    CHECK(several > 10);
    CHECK(found == told);
  }

  TEST_CASE_FIXTURE(segment_fixture, "finding a stream is one read") {
    write(random_blocks(2, 2000));
    const auto opened = open();
    const auto stream = rows()[1000].stream;
    const auto reads = disk.count(disk_call::read);
    REQUIRE(opened->find(stream).value());
    CHECK(disk.count(disk_call::read) == reads + 1);
    REQUIRE(opened->read(1));
    CHECK(disk.count(disk_call::read) == reads + 2);
  }

  TEST_CASE_FIXTURE(segment_fixture, "a sequence leads to its chunk") {
    write(long_stream());
    const auto opened = open();
    const auto row = opened->find(stream_id{100}).value().value();
    REQUIRE(row.chunks > 10);
    REQUIRE(row.offset > 0);
    for (auto seq = raw(row.first); seq < raw(row.next); ++seq) {
      const auto chunk = opened->chunk_with(row, sequence{seq});
      bool there = false;
      for (const auto& entry : entries_in(*opened, row, chunk))
        there = there || entry.seq == seq;
      REQUIRE_MESSAGE(there, seq);
    }
    CHECK(opened->chunk_with(row, sequence{0}) == row.chunk);
    CHECK(opened->chunk_with(row, row.next) == row.chunk + row.chunks - 1);
  }

  TEST_CASE_FIXTURE(segment_fixture, "a time leads to the chunk of its entry") {
    write(long_stream());
    const auto opened = open();
    const auto row = opened->find(stream_id{100}).value().value();
    for (auto ms = row.first_ms - 1; ms <= row.last_ms; ms += 100) {
      CAPTURE(ms);
      auto first = row.chunk; // That has an entry at or after `ms`.
      while (entries_in(*opened, row, first).back().time_ms < ms)
        ++first;
      const auto chunk = opened->chunk_with_time(row, ms);
      REQUIRE(chunk <= first);
      REQUIRE(chunk + 1 >= first);
    }
    // Exact where the directory can tell.
    CHECK(opened->chunk_with_time(row, row.first_ms) == row.chunk);
    CHECK(opened->chunk_with_time(row, row.last_ms + 1)
          == row.chunk + row.chunks - 1);
  }

  TEST_CASE_FIXTURE(segment_fixture, "a chunk outlives its segment") {
    write({tell(5, 0, 3)});
    const auto chunk = [&] { return open()->read(0).value(); }();
    const auto block = parse_block(chunk.view());
    REQUIRE(block);
    CHECK(as_text(entry_cursor{*block}.next()->payload) == "5/0");
  }

  // -- refusals --------------------------------------------------------------

  TEST_CASE_FIXTURE(segment_fixture, "another store's segment is refused") {
    write({tell(5, 0, 3)});
    config.store.fill(std::byte{1});
    const auto refused = try_open();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::incompatible);
    CHECK(refused.error().context.find(path) != std::string::npos);
  }

  TEST_CASE_FIXTURE(segment_fixture,
                    "a newer format is refused by its number") {
    write({tell(5, 0, 3)});
    auto newer = file_bytes();
    set_byte(newer, 8, 2);
    seal_header(newer, 64);
    put_file(newer);
    auto refused = try_open();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::incompatible);
    CHECK(refused.error().context.find("version 2") != std::string::npos);
    // Whatever follows, and with a larger header.
    std::vector<std::byte> other(200, std::byte{7});
    std::memcpy(other.data(), newer.data(), 64);
    set_byte(other, 10, 128);
    seal_header(other, 128);
    put_file(other);
    refused = try_open();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::incompatible);
  }

  TEST_CASE_FIXTURE(segment_fixture, "a flag is a newer format") {
    write({tell(5, 0, 3)});
    auto newer = file_bytes();
    set_byte(newer, 12, 1);
    seal_header(newer, 64);
    put_file(newer);
    const auto refused = try_open();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::incompatible);
  }

  TEST_CASE_FIXTURE(segment_fixture, "a renamed segment is refused") {
    write({tell(5, 0, 3)});
    const std::string other = "segments/0000000008.segment";
    REQUIRE(disk.rename(path, other));
    const auto refused = segment::open(disk, other, config.store);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::corrupt);
    CHECK(refused.error().context.find("segment 7") != std::string::npos);
    // An unfinished one may have any other name.
    REQUIRE(disk.rename(other, path + ".tmp"));
    CHECK(segment::open(disk, path + ".tmp", config.store));
  }

  TEST_CASE_FIXTURE(segment_fixture,
                    "the footer of another segment is refused") {
    write({tell(5, 0, 3)});
    auto mixed = file_bytes();
    config.number = 8;
    static_cast<void>(disk.unlink(path));
    auto writer = segment_writer::create(disk, path, config).value();
    block_builder builder;
    REQUIRE(writer.add(build(builder, tell(5, 0, 3))));
    REQUIRE(writer.finish());
    const auto other = file_bytes();
    REQUIRE(other.size() == mixed.size());
    std::memcpy(mixed.data() + 64, other.data() + 64, other.size() - 64);
    put_file(mixed);
    const auto refused = try_open();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().context.find("another header") != std::string::npos);
  }

  TEST_CASE_FIXTURE(segment_fixture, "a disk that fails is told from damage") {
    write({tell(5, 0, 3)});
    for (std::uint64_t nth = 1; nth <= 3; ++nth) {
      disk.fail(disk_call::read, nth, EIO);
      const auto failed = try_open();
      REQUIRE_FALSE(failed);
      CHECK(failed.error().code == errc::io_failed);
      disk.heal();
    }
    const auto opened = open();
    disk.fail(disk_call::read, 1, EIO);
    CHECK(opened->find(stream_id{5}).error().code == errc::io_failed);
    disk.fail(disk_call::read, 1, EIO);
    CHECK(opened->read(0).error().code == errc::io_failed);
    CHECK(opened->read(0));
  }
}
