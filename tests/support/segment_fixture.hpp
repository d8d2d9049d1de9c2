// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/segment_scan.hpp"
#include "runtime/segment_writer.hpp"
#include "tests/support/simulated_disk.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace torpor::test {

/// An entry as a test gives it and wants it back.
struct told_entry {
  std::uint64_t stream = 0;
  std::uint64_t seq = 0;
  std::int64_t time_ms = 0;
  std::string payload;
  std::vector<property> properties;
  bool operator==(const told_entry&) const = default;
};

/// Neighbouring entries of one stream.
using told_block = std::vector<told_entry>;

/// `count` entries "stream/sequence", 5 ms apart from `ms` on, each followed by
/// `more` letters.
inline told_block tell(std::uint64_t stream, std::uint64_t first,
                       std::uint64_t count, std::int64_t ms = 1000,
                       std::size_t more = 0) {
  told_block block;
  for (std::uint64_t i = 0; i < count; ++i)
    block.push_back({stream,
                     first + i,
                     ms + 5 * static_cast<std::int64_t>(i),
                     std::to_string(stream) + "/" + std::to_string(first + i)
                       + std::string(more, 'x'),
                     {}});
  return block;
}

/// Letters that no codec makes shorter.
inline std::string noise(dice& chance, std::size_t bytes) {
  std::string text(bytes, ' ');
  for (auto& letter : text)
    letter = static_cast<char>(chance.below(256));
  return text;
}

/// A block as the journal would give it. Good until `builder` is used again.
inline block_view build(block_builder& builder, const told_block& told) {
  builder.start(stream_id{told.front().stream}, sequence{told.front().seq});
  for (const auto& entry : told)
    builder.add(as_bytes(entry.payload), encode_properties(entry.properties),
                entry.time_ms);
  return parse_block(builder.finish()).value();
}

inline void take(const block_view& block, told_block& into) {
  entry_cursor entries{block};
  while (const auto entry = entries.next())
    into.push_back({raw(block.stream), raw(entry->seq), entry->time_ms,
                    std::string{as_text(entry->payload)}, entry->properties()});
}

/// Writes segment 7 of a store and reads it.
class segment_fixture {
public:
  segment_fixture() {
    REQUIRE(disk.make_directory("segments"));
    config.store.fill(std::byte{0x5a});
    config.number = 7;
    config.journal_first = 3;
    config.journal_last = 4;
  }

  /// Writes a new segment in place of the old one.
  segment_summary write(const std::vector<told_block>& blocks) {
    static_cast<void>(disk.unlink(path));
    auto writer = segment_writer::create(disk, path, config);
    REQUIRE_MESSAGE(writer, writer.error().context);
    block_builder builder;
    for (const auto& block : blocks)
      REQUIRE(writer->add(build(builder, block)));
    const auto summary = writer->finish();
    REQUIRE_MESSAGE(summary, summary.error().context);
    return *summary;
  }

  result<std::shared_ptr<const segment>> try_open() {
    return segment::open(disk, path, config.store);
  }

  std::shared_ptr<const segment> open() {
    auto opened = try_open();
    REQUIRE_MESSAGE(opened, opened.error().context);
    return *opened;
  }

  /// All entries, block by block.
  std::vector<told_block> blocks() {
    std::vector<told_block> all;
    segment_block_scan scan{open()};
    for (;;) {
      const auto block = scan.next();
      REQUIRE_MESSAGE(block, block.error().context);
      if (!*block)
        return all;
      take(**block, all.emplace_back());
    }
  }

  told_block entries() { return join(blocks()); }

  std::vector<segment_row> rows() {
    std::vector<segment_row> all;
    segment_row_scan scan{open()};
    for (;;) {
      const auto row = scan.next();
      REQUIRE_MESSAGE(row, row.error().context);
      if (!*row)
        return all;
      all.push_back(**row);
    }
  }

  std::vector<std::byte> file_bytes() {
    const auto opened = disk.open(path, open_mode::read).value();
    std::vector<std::byte> bytes(opened->size().value());
    REQUIRE(opened->read(0, bytes).value() == bytes.size());
    return bytes;
  }

  void put_file(bytes_view bytes) {
    static_cast<void>(disk.unlink(path));
    const auto made = disk.open(path, open_mode::create);
    REQUIRE(made);
    REQUIRE((*made)->write(0, bytes));
  }

  static told_block join(const std::vector<told_block>& blocks) {
    told_block all;
    for (const auto& block : blocks)
      all.insert(all.end(), block.begin(), block.end());
    return all;
  }

  /// Blocks of many streams: some of one entry, some larger than a chunk.
  static std::vector<told_block> random_blocks(std::uint64_t seed,
                                               std::uint64_t streams) {
    dice chance{seed};
    std::vector<told_block> blocks;
    std::uint64_t stream = 0;
    for (std::uint64_t i = 0; i < streams; ++i) {
      stream += 1 + chance.below(chance.coin() ? 3 : 100'000);
      auto seq = chance.below(chance.coin() ? 2 : 1'000'000);
      auto ms = static_cast<std::int64_t>(1'700'000'000'000
                                          + chance.below(1'000'000));
      for (auto left = 1 + chance.below(4); left > 0; --left) {
        auto& block = blocks.emplace_back();
        for (auto count = 1 + chance.below(5); count > 0; --count) {
          auto& entry = block.emplace_back();
          ms += static_cast<std::int64_t>(chance.below(3) * 40);
          const auto most = chance.below(30) == 0 ? 50'000u : 200u;
          entry = {stream, seq++, ms, noise(chance, chance.below(most)), {}};
          entry.payload += std::string(chance.below(300), 'a');
          if (chance.below(4) == 0)
            entry.properties = {{"key", noise(chance, chance.below(20))}};
        }
        if (chance.below(6) == 0)
          seq += 10; // A gap.
      }
    }
    return blocks;
  }

  simulated_disk disk{1};
  segment_config config;
  const std::string path = "segments/0000000007.segment";
};

} // namespace torpor::test
