// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_writer.hpp"

#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Writes with a disk that fails; the error of whatever failed.
result<segment_summary> write_failing(segment_fixture& to,
                                      const std::vector<told_block>& blocks) {
  auto writer = segment_writer::create(to.disk, to.path, to.config);
  if (!writer)
    return tl::unexpected{writer.error()};
  block_builder builder;
  for (const auto& block : blocks)
    if (auto added = writer->add(build(builder, block)); !added)
      return tl::unexpected{added.error()};
  return writer->finish();
}

struct told_write {
  unsigned long offset = 0;
  unsigned long bytes = 0;
};

/// The writes in the trace of a disk.
std::vector<told_write> writes_of(const simulated_disk& disk) {
  std::vector<told_write> writes;
  for (const auto& call : disk.calls())
    if (told_write told; std::sscanf(call.c_str(), "pwrite %*s %lu+%lu",
                                     &told.offset, &told.bytes)
                         == 2)
      writes.push_back(told);
  return writes;
}

} // namespace

TEST_SUITE("segment_writer") {
  TEST_CASE_FIXTURE(segment_fixture, "what goes in comes out, at any level") {
    for (const int level : {0, 1, 9})
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(seed);
        config.compression_level = level;
        const auto told = random_blocks(seed, 120);
        write(told);
        REQUIRE(entries() == join(told));
      }
  }

  TEST_CASE_FIXTURE(segment_fixture, "the summary adds up") {
    const auto summary = write({tell(5, 10, 2, 1000), tell(5, 12, 3, 2000),
                                tell(9, 0, 1, 500), tell(11, 7, 1, 9000)});
    CHECK(summary.number == 7);
    CHECK(summary.journal_first == 3);
    CHECK(summary.journal_last == 4);
    CHECK(summary.streams == 3);
    CHECK(summary.entries == 7);
    CHECK(summary.payload_bytes == 5 * 4 + 3 + 4);
    CHECK(summary.first_ms == 500);
    CHECK(summary.last_ms == 9000);
    CHECK(summary.file_bytes == file_bytes().size());
    CHECK(summary.raw_bytes == rows().back().position + rows().back().bytes);
    CHECK(open()->summary() == summary);
  }

  TEST_CASE_FIXTURE(segment_fixture, "times before 1970 are times") {
    const auto summary = write({tell(5, 0, 2, -7000), tell(6, 0, 1, -9000)});
    CHECK(summary.first_ms == -9000);
    CHECK(summary.last_ms == -6995);
    CHECK(open()->summary() == summary);
    CHECK(rows()[1].first_ms == -9000);
    CHECK(entries().front().time_ms == -7000);
  }

  // -- merging ---------------------------------------------------------------

  TEST_CASE_FIXTURE(segment_fixture,
                    "neighbours of a stream become one block") {
    std::vector<told_block> told;
    for (std::uint64_t i = 0; i < 100; ++i)
      told.push_back(tell(5, i, 1, 1000 + 70 * static_cast<std::int64_t>(i)));
    write(told);
    CHECK(blocks() == std::vector<told_block>{join(told)});
  }

  TEST_CASE_FIXTURE(segment_fixture, "merged blocks stay within a chunk") {
    std::vector<told_block> told;
    for (std::uint64_t i = 0; i < 300; ++i)
      told.push_back(tell(5, i, 1, 1000, 1000));
    write(told);
    const auto merged = blocks();
    CHECK(join(merged) == join(told));
    CHECK(merged.size() == 5);
    const auto opened = open();
    REQUIRE(opened->chunks() == 5);
    for (std::uint32_t i = 0; i < 5; ++i)
      CHECK(opened->raw_bytes(i) <= chunk_bytes);
  }

  TEST_CASE_FIXTURE(segment_fixture, "streams are not merged, nor over a gap") {
    const std::vector<told_block> told{tell(5, 0, 2), tell(5, 3, 2, 1010),
                                       tell(6, 5, 2)};
    write(told);
    CHECK(blocks() == told);
    CHECK(rows()[0].next == sequence{5});
  }

  TEST_CASE_FIXTURE(segment_fixture, "a large block has a chunk of its own") {
    write({tell(5, 0, 1), tell(6, 0, 3, 1000, 100'000), tell(7, 0, 1)});
    const auto opened = open();
    REQUIRE(opened->chunks() == 3);
    CHECK(opened->chunk(1).stream == stream_id{6});
    CHECK(opened->raw_bytes(1) > 300'000);
    CHECK(entries().size() == 5);
  }

  // -- what is left out ------------------------------------------------------

  TEST_CASE_FIXTURE(segment_fixture, "only entries get into a segment") {
    auto writer = segment_writer::create(disk, path, config).value();
    block_builder builder;
    builder.start(stream_id{5}, sequence{0});
    builder.create("a name");
    builder.policy(sync_policy{1, 2, 3});
    builder.add(as_bytes("zero"), {}, 1000);
    builder.stamp("producer", 1, 1, 1);
    builder.close();
    REQUIRE(writer.add(parse_block(builder.finish()).value()));
    builder.start(stream_id{6}, sequence{9});
    builder.remove();
    REQUIRE(writer.add(parse_block(builder.finish()).value()));
    CHECK(writer.finish().value().streams == 1);
    segment_block_scan scan{open()};
    const auto block = scan.next().value().value();
    CHECK_FALSE(block.creates);
    CHECK_FALSE(block.closes);
    CHECK_FALSE(block.policy);
    CHECK(block.stamps.empty());
    CHECK(block.count == 1);
    CHECK_FALSE(scan.next().value());
  }

  TEST_CASE_FIXTURE(segment_fixture, "a cut block begins where it is told to") {
    const auto told = tell(5, 10, 6);
    for (std::uint64_t from = 0; from <= 20; ++from) {
      CAPTURE(from);
      static_cast<void>(disk.unlink(path));
      auto writer = segment_writer::create(disk, path, config).value();
      block_builder builder;
      REQUIRE(writer.add(build(builder, told), sequence{from}));
      REQUIRE(writer.add(build(builder, tell(6, 0, 1))));
      REQUIRE(writer.finish());
      const auto cut = std::min<std::uint64_t>(from < 10 ? 0 : from - 10, 6);
      told_block wanted{told.begin() + static_cast<std::ptrdiff_t>(cut),
                        told.end()};
      wanted.push_back(tell(6, 0, 1).front());
      REQUIRE(entries() == wanted);
      REQUIRE(rows().size() == (cut < 6 ? 2 : 1));
      if (cut < 6) {
        CHECK(rows()[0].first == sequence{10 + cut});
        CHECK(rows()[0].first_ms == wanted.front().time_ms);
      }
    }
  }

  TEST_CASE_FIXTURE(segment_fixture, "a segment may be empty") {
    const auto summary = write({});
    CHECK(summary.streams == 0);
    CHECK(summary.first_ms == 0);
    CHECK(summary.last_ms == 0);
    CHECK(entries().empty());
    CHECK(rows().empty());
    CHECK(open()->summary() == summary);
    CHECK_FALSE(open()->find(stream_id{5}).value());
  }

  // -- size ------------------------------------------------------------------

  TEST_CASE_FIXTURE(segment_fixture, "what compresses is stored compressed") {
    const std::vector<told_block> told{tell(5, 0, 20, 1000, 3000)};
    const auto packed = write(told).file_bytes;
    config.compression_level = 0;
    const auto plain = write(told).file_bytes;
    CHECK(packed < plain / 20);
  }

  TEST_CASE_FIXTURE(segment_fixture, "what does not compress is stored plain") {
    dice chance{3};
    write({{{5, 0, 1000, noise(chance, 50'000), {}}}});
    CHECK(open()->stored_bytes(0) == open()->raw_bytes(0));
  }

  TEST_CASE_FIXTURE(segment_fixture,
                    "a sparse stream's row is 16 bytes at most") {
    std::vector<told_block> told;
    dice chance{3};
    for (std::uint64_t i = 1; i <= 10'000; ++i)
      told.push_back(tell(
        i * 256 * 7 + chance.below(256), chance.below(5000), 2,
        static_cast<std::int64_t>(1'700'000'000'000 + chance.below(60'000)),
        20));
    write(told);
    const auto opened = open();
    const auto bytes = opened->page(opened->pages()).offset
                       - opened->page(0).offset;
    CAPTURE(bytes);
    CHECK(bytes <= 16 * 10'000);
  }

  // -- the file --------------------------------------------------------------

  TEST_CASE_FIXTURE(segment_fixture, "it is written in large aligned pieces") {
    disk.trace();
    config.compression_level = 0;
    std::vector<told_block> told;
    for (std::uint64_t i = 1; i < 40; ++i)
      told.push_back(tell(i, 0, 2, 1000, 40'000));
    write(told);
    auto writes = writes_of(disk);
    REQUIRE(writes.size() > 4);
    std::uint64_t end = 0;
    for (const auto& write : writes) {
      CHECK(write.offset == end);
      end += write.bytes;
    }
    CHECK(end == file_bytes().size());
    writes.pop_back(); // Only the last one may be small.
    for (const auto& write : writes) {
      CHECK(write.bytes >= 256u << 10);
      CHECK((write.offset | write.bytes) % 4096 == 0);
    }
  }

  TEST_CASE_FIXTURE(segment_fixture,
                    "a finished segment survives a power cut") {
    const auto told = random_blocks(1, 50);
    write(told);
    REQUIRE(disk.sync_directory("segments"));
    disk.crash(unsynced::dropped);
    disk.restart();
    CHECK(entries() == join(told));
  }

  TEST_CASE_FIXTURE(segment_fixture,
                    "blocks that cannot follow each other are refused by name") {
    const std::pair<told_block, told_block> wrong[] = {
      {tell(9, 0, 4), tell(9, 3, 4, 9000)}, // The same entry twice.
      {tell(9, 0, 4), tell(9, 4, 4, 500)},  // Time goes back.
      {tell(9, 0, 4), tell(9, 7, 4, 500)},  // The same, over a gap.
      {tell(9, 0, 4), tell(5, 0, 4)}};      // Streams go back.
    for (const auto& [first, second] : wrong) {
      static_cast<void>(disk.unlink(path));
      auto writer = segment_writer::create(disk, path, config).value();
      block_builder builder;
      REQUIRE(writer.add(build(builder, first)));
      const auto added = writer.add(build(builder, second));
      REQUIRE_FALSE(added);
      CHECK(added.error().code == errc::corrupt);
      const auto named = "stream " + std::to_string(second.front().stream)
                         + ", entries "
                         + std::to_string(second.front().seq) + " to ";
      CHECK(added.error().context.starts_with(named));
    }
  }

  TEST_CASE_FIXTURE(segment_fixture, "a file that exists is not overwritten") {
    write({tell(5, 0, 1)});
    const auto before = file_bytes();
    const auto refused = segment_writer::create(disk, path, config);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::io_failed);
    CHECK(file_bytes() == before);
  }

  TEST_CASE_FIXTURE(segment_fixture, "every failure of the disk is reported") {
    config.compression_level = 0;
    std::vector<told_block> told;
    for (std::uint64_t i = 1; i < 40; ++i)
      told.push_back(tell(i, 0, 2, 1000, 40'000));
    for (const auto call : {disk_call::write, disk_call::sync})
      for (std::uint64_t nth = 1;; ++nth) {
        static_cast<void>(disk.unlink(path));
        disk.heal();
        disk.fail(call, nth, EIO);
        const auto before = disk.count(call);
        const auto written = write_failing(*this, told);
        if (disk.count(call) - before < nth) {
          REQUIRE(written);
          CHECK(nth > (call == disk_call::sync ? 1 : 4));
          break;
        }
        REQUIRE_FALSE(written);
        CHECK(written.error().code == errc::io_failed);
      }
    CHECK(disk.violations().empty());
  }
}
