// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_merge.hpp"

#include "runtime/segment_files.hpp"
#include "runtime/segment_verify.hpp"
#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

using told_segment = std::vector<told_block>;

/// What is kept of some streams; all of those that it does not name.
using kept_map = std::map<std::uint64_t, std::optional<sequence>>;

/// Merges segments 11, 12, ... of a store into segment 7.
class merge_fixture : public segment_fixture {
public:
  static constexpr std::uint64_t number_first = 11;

  static std::string path_of(std::size_t source) {
    return "segments/" + segment_file_name(number_first + source);
  }

  /// Writes the sources anew and opens them.
  void tell_sources(const std::vector<told_segment>& told) {
    sources.clear();
    for (const auto& blocks : told)
      add_source(blocks);
  }

  void add_source(const told_segment& blocks) {
    const auto at = sources.size();
    static_cast<void>(disk.unlink(path_of(at)));
    auto own = config;
    own.number = number_first + at;
    own.journal_first = own.journal_last = static_cast<std::uint32_t>(3 + at);
    auto writer = segment_writer::create(disk, path_of(at), own);
    REQUIRE_MESSAGE(writer, writer.error().context);
    block_builder builder;
    for (const auto& block : blocks)
      REQUIRE(writer->add(build(builder, block)));
    REQUIRE(writer->finish());
    sources.push_back(segment::open(disk, path_of(at), config.store).value());
    config.journal_last = own.journal_last;
  }

  /// Puts a source in place whose checksums are right though `change` gave it
  /// other chunks or another footer of the same size.
  template <class Change>
  void forge(std::size_t source, const Change& change) {
    const auto name = path_of(source);
    const auto opened = disk.open(name, open_mode::write).value();
    std::vector<std::byte> bytes(opened->size().value());
    REQUIRE(opened->read(0, bytes).value() == bytes.size());
    const auto head = decode_segment_header(bytes).value();
    const auto tail = bytes.size() - segment_trailer_bytes;
    auto trailer = decode_segment_trailer(bytes_view{bytes}.subspan(tail),
                                          bytes.size()).value();
    auto footer = decode_segment_footer(
      bytes_view{bytes}.subspan(trailer.offset, trailer.bytes), trailer,
      head.checksum).value();
    change(std::span{bytes}, footer);
    byte_buffer coded;
    encode(footer, head.checksum, coded);
    REQUIRE(coded.size() == trailer.bytes);
    std::copy_n(coded.data(), coded.size(), bytes.data() + trailer.offset);
    trailer.checksum = checksum_of(coded.view());
    encode(trailer, bytes.data() + tail);
    REQUIRE(opened->write(0, bytes));
    sources[source] = segment::open(disk, name, config.store).value();
  }

  kept_from keep() {
    return [this](stream_id stream) -> result<std::optional<sequence>> {
      asked.push_back(raw(stream));
      const auto found = kept.find(raw(stream));
      return found == kept.end() ? sequence{0} : found->second;
    };
  }

  result<segment_summary> merge() {
    asked.clear();
    return merge_segments(disk, sources, "segments", config, keep(),
                          [this] { return ++polls == cancel_at; });
  }

  bool merged_exists() {
    const auto names = disk.list("segments").value();
    return std::find(names.begin(), names.end(), segment_file_name(7))
           != names.end();
  }

  /// Demands that a merge fails so and leaves nothing behind.
  std::string refuse(errc code) {
    const auto merged = merge();
    REQUIRE_FALSE(merged);
    CHECK(merged.error().code == code);
    CHECK_FALSE(merged_exists());
    return merged.error().context;
  }

  std::vector<std::shared_ptr<const segment>> sources;
  kept_map kept;
  std::vector<std::uint64_t> asked; ///< For which streams `kept` was asked.
  std::uint64_t polls = 0;          ///< How often `cancelled` was asked.
  std::uint64_t cancel_at = 0;      ///< 0: never.
};

/// Streams whose histories go on from one segment to the next. Without a hole,
/// because a look at the merged segment would take it for a loss.
std::vector<told_segment> random_history(dice& chance, std::size_t segments) {
  std::vector<told_segment> told(segments);
  std::uint64_t stream = 0;
  for (auto left = 1 + chance.below(80); left > 0; --left) {
    stream += 1 + chance.below(chance.coin() ? 3 : 100'000);
    auto seq = chance.below(3) * 1000;
    auto ms = static_cast<std::int64_t>(1000 + chance.below(1000));
    for (auto& blocks : told)
      for (auto more = chance.below(4); more > 0; --more) {
        const auto most = chance.below(20) == 0 ? 50'000u : 200u;
        blocks.push_back(
          tell(stream, seq, 1 + chance.below(5), ms, chance.below(most)));
        seq = blocks.back().back().seq + 1;
        ms = blocks.back().back().time_ms;
      }
  }
  return told;
}

/// Half of the streams: gone, or all or a part of them kept.
kept_map random_kept(dice& chance, const std::vector<told_segment>& told) {
  kept_map kept;
  for (const auto& blocks : told)
    for (const auto& block : blocks) {
      const auto entry = block[chance.below(block.size())];
      if (chance.below(12) == 0)
        kept[entry.stream] = std::nullopt;
      else if (chance.below(4) == 0)
        kept[entry.stream] = sequence{entry.seq + chance.below(2)};
    }
  return kept;
}

/// The entries that a merge has to keep, in their order.
told_block model(const std::vector<told_segment>& told, const kept_map& kept) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, told_entry> sorted;
  for (const auto& blocks : told)
    for (const auto& entry : segment_fixture::join(blocks)) {
      const auto found = kept.find(entry.stream);
      const auto first = found == kept.end() ? sequence{0} : found->second;
      if (first && entry.seq >= raw(*first))
        sorted.emplace(std::pair{entry.stream, entry.seq}, entry);
    }
  told_block entries;
  for (auto& [key, entry] : sorted)
    entries.push_back(std::move(entry));
  return entries;
}

/// Three sources whose chunks hold 60,000 bytes each.
std::vector<told_segment> large_history(std::uint64_t chunks = 8) {
  std::vector<told_segment> told(3);
  for (std::uint64_t i = 0; i < 3; ++i)
    for (std::uint64_t stream = 1; stream <= chunks; ++stream)
      told[i].push_back(tell(stream, i, 1, 1000, 60'000));
  return told;
}

} // namespace

TEST_SUITE("segment_merge") {
  TEST_CASE_FIXTURE(merge_fixture, "a merge keeps what is kept, nothing else") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(seed);
      dice chance{seed};
      config.compression_level = static_cast<int>(chance.below(2));
      const auto told = random_history(chance, 1 + chance.below(10));
      kept = random_kept(chance, told);
      tell_sources(told);
      static_cast<void>(disk.unlink(path));
      const auto summary = merge();
      REQUIRE_MESSAGE(summary, summary.error().context);
      REQUIRE(entries() == model(told, kept));
      CHECK(open()->summary() == *summary);
      CHECK(summary->number == 7);
      CHECK(summary->journal_first == 3);
      CHECK(summary->journal_last == 2 + told.size());
      const auto report = verify_segment(open());
      REQUIRE(report);
      CHECK(report->damages.empty());
    }
  }

  TEST_CASE_FIXTURE(merge_fixture, "each stream is asked for once, in order") {
    tell_sources({{tell(5, 0, 1), tell(9, 0, 1)},
                  {tell(2, 0, 1), tell(5, 1, 1), tell(5, 9, 1)},
                  {tell(9, 1, 1)}});
    REQUIRE(merge());
    CHECK(asked == std::vector<std::uint64_t>{2, 5, 9});
  }

  TEST_CASE_FIXTURE(merge_fixture, "blocks of several sources become one") {
    tell_sources({{tell(5, 0, 2, 1000)}, {tell(5, 2, 2, 2000)},
                  {tell(5, 4, 1, 3000), tell(6, 0, 1)}});
    REQUIRE(merge());
    REQUIRE(blocks().size() == 2);
    CHECK(blocks()[0].size() == 5);
  }

  TEST_CASE_FIXTURE(merge_fixture, "when all is gone, an empty segment is "
                                   "made") {
    tell_sources({{tell(5, 0, 2)}, {tell(5, 2, 2, 2000), tell(6, 0, 1)}});
    kept = {{5, sequence{4}}, {6, std::nullopt}};
    const auto summary = merge();
    REQUIRE(summary);
    CHECK(summary->entries == 0);
    CHECK(summary->streams == 0);
    CHECK(open()->summary() == *summary);
    CHECK(entries().empty());
    sources = {open()};
    config.number = 8; // And it can be merged itself.
    CHECK(merge());
  }

  TEST_CASE_FIXTURE(merge_fixture, "a damaged chunk stops a merge, also of "
                                   "streams that are gone") {
    tell_sources(large_history());
    for (std::uint64_t stream = 1; stream <= 8; stream += 2)
      kept[stream] = std::nullopt;
    for (std::size_t at = 0; at < sources.size(); ++at)
      for (std::uint32_t chunk = 0; chunk < sources[at]->chunks(); ++chunk) {
        const auto byte = sources[at]->chunk(chunk).offset + 20;
        disk.flip_bit(path_of(at), byte, 1);
        CHECK(refuse(errc::corrupt).find(path_of(at)) != std::string::npos);
        disk.flip_bit(path_of(at), byte, 1);
      }
    CHECK(merge());
  }

  TEST_CASE_FIXTURE(merge_fixture, "a merge mends a damaged index") {
    tell_sources({{tell(5, 0, 2)}, {tell(5, 2, 2, 2000)}});
    disk.flip_bit(path_of(0), sources[0]->page(0).offset + 9, 1);
    CHECK(find_live(sources[0], keep()).error().code == errc::corrupt);
    REQUIRE(merge());
    CHECK(entries() == join({tell(5, 0, 2), tell(5, 2, 2, 2000)}));
  }

  TEST_CASE_FIXTURE(merge_fixture, "sources that are not in order are "
                                   "corrupt") {
    const auto refused = [this](const std::vector<told_segment>& told,
                                std::size_t named) {
      tell_sources(told);
      CHECK(refuse(errc::corrupt).find(path_of(named)) != std::string::npos);
    };
    refused({{tell(5, 4, 2)}, {tell(5, 0, 2, 2000)}}, 1);
    refused({{tell(5, 0, 4)}, {tell(5, 3, 2, 2000)}}, 1);
    refused({{tell(5, 0, 2, 2000)}, {tell(5, 2, 2, 1000)}}, 1);
    kept = {{5, std::nullopt}};
    refused({{tell(4, 0, 1)}, {tell(5, 0, 4)}, {tell(5, 3, 2, 2000)}}, 2);
  }

  TEST_CASE_FIXTURE(merge_fixture, "a source with fewer entries than it says "
                                   "is corrupt") {
    tell_sources({{tell(5, 0, 2)}, {tell(6, 0, 2)}});
    forge(1, [](auto, segment_footer& footer) { ++footer.summary.entries; });
    CHECK(refuse(errc::corrupt).find(path_of(1)) != std::string::npos);
  }

  TEST_CASE_FIXTURE(merge_fixture, "a source whose streams go back is "
                                   "corrupt") {
    config.compression_level = 0;
    tell_sources({{tell(5, 0, 2), tell(6, 0, 2)}, {tell(6, 2, 1, 2000)}});
    const auto bytes = sources[0]->find(stream_id{5})->value().bytes;
    forge(0, [&](std::span<std::byte> all, segment_footer& footer) {
      const auto chunk = all.subspan(footer.chunks[0].offset, 2 * bytes);
      std::swap_ranges(chunk.begin(), chunk.begin() + bytes,
                       chunk.begin() + bytes);
      footer.chunks[0].checksum = checksum_of(chunk);
    });
    CHECK(refuse(errc::corrupt).find(path_of(0)) != std::string::npos);
  }

  TEST_CASE_FIXTURE(merge_fixture, "a hole that was there is no damage") {
    tell_sources({{tell(5, 0, 2)}, {tell(5, 8, 2, 2000)}});
    CHECK(merge());
  }

  TEST_CASE_FIXTURE(merge_fixture, "a merge that cannot read or write fails "
                                   "and leaves nothing behind") {
    config.compression_level = 0;
    tell_sources(large_history(12)); // 2 MB: writes several pieces.
    using enum disk_call;
    for (const auto call : {open, write, read, sync, sync_directory}) {
      CAPTURE(static_cast<int>(call));
      const auto before = disk.count(call);
      REQUIRE(merge());
      REQUIRE(disk.unlink(path));
      const auto calls = disk.count(call) - before;
      CHECK(calls >= (call == write || call == read ? 4 : 1));
      for (std::uint64_t nth = 1; nth <= calls; ++nth) {
        disk.fail(call, nth, EIO);
        refuse(errc::io_failed);
        disk.heal();
      }
    }
    CHECK(disk.violations().empty());
    CHECK(merge());
  }

  TEST_CASE_FIXTURE(merge_fixture, "a full disk gets its room back") {
    config.compression_level = 0;
    tell_sources(large_history(12));
    disk.set_capacity(3'500'000);
    refuse(errc::io_failed);
    disk.set_capacity(0);
    CHECK(merge());
  }

  TEST_CASE_FIXTURE(merge_fixture, "a merged segment survives a power "
                                   "failure") {
    tell_sources(large_history());
    REQUIRE(disk.sync_directory("segments"));
    const auto summary = merge();
    REQUIRE(summary);
    disk.crash(unsynced::dropped);
    disk.restart();
    CHECK(open()->summary() == *summary);
    CHECK(entries() == model(large_history(), {}));
  }

  TEST_CASE_FIXTURE(merge_fixture, "a file that has the name stays as it is") {
    tell_sources({{tell(5, 0, 2)}});
    REQUIRE(merge());
    const auto bytes = file_bytes();
    CHECK(merge().error().code == errc::io_failed);
    CHECK(file_bytes() == bytes);
  }

  TEST_CASE_FIXTURE(merge_fixture, "a merge can be cancelled at each chunk") {
    tell_sources(large_history());
    REQUIRE(merge());
    REQUIRE(disk.unlink(path));
    const auto all = polls;
    CHECK(all >= 3 * sources[0]->chunks());
    for (cancel_at = 1; cancel_at <= all; ++cancel_at) {
      polls = 0;
      refuse(errc::shut_down);
      CHECK(polls == cancel_at);
    }
  }

  TEST_CASE_FIXTURE(merge_fixture, "what `kept` fails with ends a merge") {
    tell_sources({{tell(5, 0, 2)}});
    const auto failing = [](stream_id) -> result<std::optional<sequence>> {
      return fail(errc::locked, "no");
    };
    const auto merged = merge_segments(disk, sources, "segments", config,
                                       failing, [] { return false; });
    CHECK(merged.error().code == errc::locked);
    CHECK_FALSE(merged_exists());
    CHECK(find_live(sources[0], failing).error().code == errc::locked);
  }

  TEST_CASE_FIXTURE(merge_fixture, "live bytes count rows by what is kept") {
    tell_sources({{tell(5, 10, 10), tell(6, 0, 4), tell(9, 0, 1)}});
    const auto five = sources[0]->find(stream_id{5})->value().bytes;
    const auto all = sources[0]->summary().raw_bytes;
    const auto live = [this](const kept_map& now) {
      kept = now;
      return find_live(sources[0], keep()).value().bytes;
    };
    CHECK(live({}) == all);
    CHECK(live({{5, std::nullopt}}) == all - five);
    CHECK(live({{5, sequence{10}}}) == all);
    CHECK(live({{5, sequence{20}}}) == all - five);
    CHECK(live({{5, sequence{99}}}) == all - five);
    CHECK(live({{5, sequence{18}}}) == all - five + five * 2 / 10);
    CHECK(find_live(sources[0], keep()).value().entries == 2 + 4 + 1);
    CHECK(asked.size() == 7 * 3);
  }
}
