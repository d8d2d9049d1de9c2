// SPDX-License-Identifier: Apache-2.0
// Blocks with a right checksum that a faulty writer made.
#include "runtime/block.hpp"

#include "runtime/block_reader.hpp"
#include "runtime/segment_merge.hpp"
#include "runtime/segment_verify.hpp"
#include "runtime/wire.hpp"
#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

using block_bytes = std::vector<std::byte>;

block_bytes bytes_of(const told_block& told) {
  block_builder builder;
  const auto whole = build(builder, told).whole;
  return {whole.begin(), whole.end()};
}

/// Gives changed bytes the head of a sound block.
void seal(std::span<std::byte> block) {
  wire_writer to{block.data()};
  to.u32(static_cast<std::uint32_t>(block.size()));
  to.u64(checksum_of(block.subspan(block_head_bytes)));
}

/// Makes the first entry longer than the block.
void spoil(std::span<std::byte> block) {
  const auto entries = parse_block(block).value().entries.size();
  block[block.size() - entries] = std::byte{0x7e};
  seal(block);
}

/// What a reader gets before the end.
std::size_t count(const block_view& block, bool& sound) {
  entry_cursor entries{block};
  std::size_t got = 0;
  while (entries.next())
    ++got;
  sound = entries.sound();
  return got;
}

/// A segment in which the block of stream 9 makes no sense.
class spoiled_segment : public segment_fixture {
public:
  spoiled_segment() {
    config.compression_level = 0;
    write({tell(5, 0, 4), tell(9, 0, 4), tell(12, 0, 4)});
    auto file = file_bytes();
    const auto trailer = decode_segment_trailer(
                           bytes_view{file}.last(segment_trailer_bytes),
                           file.size())
                           .value();
    const auto header = decode_segment_header(file).value().checksum;
    auto footer = decode_segment_footer(
                    bytes_view{file}.subspan(trailer.offset, trailer.bytes),
                    trailer, header)
                    .value();
    const auto end = footer.chunks.back().offset;
    const std::span chunk{file.data() + segment_head_bytes,
                          end - segment_head_bytes};
    spoil(chunk.subspan(claimed_block_bytes(chunk))
            .first(claimed_block_bytes(
              chunk.subspan(claimed_block_bytes(chunk)))));
    footer.chunks.front().checksum = checksum_of(chunk);
    byte_buffer coded;
    encode(footer, header, coded);
    std::copy(coded.view().begin(), coded.view().end(),
              file.begin() + static_cast<std::ptrdiff_t>(trailer.offset));
    encode({trailer.offset, trailer.bytes, checksum_of(coded.view())},
           file.data() + file.size() - segment_trailer_bytes);
    put_file(file);
  }

  result<read_page> read(std::uint64_t stream) {
    read_job job;
    job.request = std::make_unique<read_request>();
    job.name = "log";
    job.page.stream = stream_id{stream};
    job.page.next = job.sealed_end = sequence{4};
    const std::shared_ptr<simulated_disk> at{&disk, [](auto*) {}};
    job.segments = segment_list{{at, "segments", config.store}}.with(
      {open()->summary()});
    return block_reader{disk, "journal"}.run(job);
  }
};

void check_named(const error& why, std::initializer_list<const char*> parts) {
  CHECK(why.code == errc::corrupt);
  for (const auto* part : parts)
    CHECK_MESSAGE(why.context.find(part) != std::string::npos, why.context);
}

} // namespace

TEST_SUITE("senseless_block") {
  TEST_CASE("a cursor tells where the entries make no sense") {
    const auto told = tell(9, 0, 4);
    const auto refused = [&](const std::function<void(block_bytes&)>& change) {
      auto bytes = bytes_of(told);
      change(bytes);
      seal(bytes);
      const auto block = parse_block(bytes);
      REQUIRE(block);
      auto sound = true;
      CHECK(count(*block, sound) <= 4);
      return !sound;
    };
    const auto last = bytes_of(told).size() - 5; // Head, step, "9/3".
    CHECK_FALSE(refused([](auto&) {}));
    CHECK(refused([](auto& bytes) { bytes.pop_back(); }));
    CHECK(refused([](auto& bytes) { bytes.push_back({}); }));
    CHECK(refused([&](auto& bytes) { bytes[last] = std::byte{8}; }));
    CHECK(refused([&](auto& bytes) { bytes[last] = std::byte{4}; }));
    CHECK(refused([&](auto& bytes) { bytes[last] = std::byte{7}; }));
    CHECK(refused([&](auto& bytes) { bytes[last + 1] = std::byte{4}; }));
    CHECK(refused([&](auto& bytes) { bytes[last + 1] = std::byte{6}; }));
  }

  TEST_CASE("a head that promises more than there can be is refused") {
    auto bytes = bytes_of(tell(9, 0, 4));
    bytes[block_head_bytes + 3] = std::byte{0x7f}; // The count.
    seal(bytes);
    CHECK(parse_block(bytes).error().code == errc::corrupt);
  }

  TEST_CASE("random entries with the right checksum do no harm") {
    dice chance{8};
    int broken = 0;
    for (int round = 0; round < 20'000; ++round) {
      auto told = tell(9, 0, 4);
      told[1].properties = {{"key", "value"}};
      auto bytes = bytes_of(told);
      const auto entries = parse_block(bytes).value().entries.size();
      for (auto left = 1 + chance.below(4); left > 0; --left)
        bytes[bytes.size() - 1 - chance.below(entries)]
          = static_cast<std::byte>(chance.below(256));
      seal(bytes);
      const auto block = parse_block(bytes).value();
      entry_cursor cursor{block};
      std::int64_t before = block.first_ms;
      while (const auto entry = cursor.next()) {
        REQUIRE(entry->time_ms >= before);
        before = entry->time_ms;
        REQUIRE(entry->properties().size() < 100);
      }
      broken += cursor.sound() ? 0 : 1;
    }
    CHECK(broken > 5'000);
  }

  TEST_CASE("properties that make no sense are given as far as they do") {
    auto bytes = encode_properties({{"a", "1"}, {"b", "2"}});
    bytes.pop_back();
    entry_view entry;
    entry.encoded = bytes;
    CHECK(entry.properties() == std::vector<property>{{"a", "1"}});
  }

  TEST_CASE("a read of the journal names stream, entries and file") {
    simulated_disk disk{1};
    REQUIRE(disk.make_directory("journal"));
    auto bytes = bytes_of(tell(9, 3, 4));
    spoil(bytes);
    const auto path = "journal/" + journal_file_name(1);
    REQUIRE(disk.open(path, open_mode::create).value()->write(0, bytes));
    read_job job;
    job.request = std::make_unique<read_request>();
    job.name = "log";
    job.page.stream = stream_id{9};
    job.page.next_from = sequence{3};
    job.page.next = sequence{7};
    job.blocks.push_back(
      {sequence{3}, {1, 0, static_cast<std::uint32_t>(bytes.size())}, 4});
    const auto page = block_reader{disk, "journal"}.run(job);
    REQUIRE_FALSE(page);
    check_named(page.error(), {"'log'", "entries 3 to 6 ", path.c_str()});
  }

  TEST_CASE_FIXTURE(spoiled_segment,
                    "a read of a segment names stream, entries and file") {
    const auto page = read(9);
    REQUIRE_FALSE(page);
    check_named(page.error(), {"'log'", "entries 0 to 3 ", path.c_str()});
    CHECK(read(5)->entries.size() == 4);
    CHECK(read(12)->entries.size() == 4);
  }

  TEST_CASE_FIXTURE(spoiled_segment, "verifying names the block") {
    const auto report = verify_segment(open()).value();
    REQUIRE_FALSE(report.damages.empty());
    CHECK(report.damages[0].stream == stream_id{9});
    CHECK(report.damages[0].next == sequence{4});
    CHECK(report.damages[0].text == senseless_entries);
  }

  TEST_CASE_FIXTURE(spoiled_segment, "a merge stops and names its source") {
    auto next = config;
    next.number = 8;
    const auto merged = merge_segments(
      disk, {open()}, "segments", next,
      [](stream_id) { return std::optional{sequence{2}}; },
      [] { return false; });
    REQUIRE_FALSE(merged);
    check_named(merged.error(), {path.c_str(), "stream 9"});
  }

  TEST_CASE_FIXTURE(segment_fixture, "a seal stops and names the stream") {
    auto writer = segment_writer::create(disk, path, config).value();
    auto bytes = bytes_of(tell(9, 3, 4));
    spoil(bytes);
    const auto added = writer.add(parse_block(bytes).value());
    REQUIRE_FALSE(added);
    check_named(added.error(), {"stream 9", "entries 3 to 6"});
  }
}
