// SPDX-License-Identifier: Apache-2.0
// Reads that begin in segments and end in the journal.
#include "runtime/block_reader.hpp"

#include "runtime/journal_files.hpp"
#include "runtime/segment_files.hpp"
#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr std::uint64_t the_stream = 7u << 8;
constexpr std::uint64_t entry_ms = 5; ///< Between two entries.

/// The time of an entry, as `told` gives it.
constexpr std::int64_t time_of(std::uint64_t seq) {
  return static_cast<std::int64_t>(1000 + entry_ms * seq);
}

/// Entries 0 to 9 in segment 1, 10 to 19 in segment 2, 20 to 29 in journal
/// file 3; 100 bytes each, in blocks of five. Other streams lie around.
class sealed_and_not {
public:
  sealed_and_not() {
    REQUIRE(disk.make_directory("segments"));
    REQUIRE(disk.make_directory("journal"));
    std::vector<segment_summary> all;
    for (std::uint64_t number = 1; number <= 2; ++number)
      all.push_back(write_segment(number, (number - 1) * 10));
    const segment_list none{
      {std::shared_ptr<torpor::disk>{std::shared_ptr<void>{}, &disk},
       "segments",
       {}}};
    segments = none.with(all);
    write_journal();
  }

  /// Five entries, each with its sequence in front.
  static told_block told(std::uint64_t stream, std::uint64_t first) {
    auto block = tell(stream, first, 5, time_of(first));
    for (auto& entry : block) {
      entry.payload = std::to_string(entry.seq) + "/";
      entry.payload.resize(100, 'x');
    }
    return block;
  }

  static std::string path(std::uint64_t number) {
    return "segments/" + segment_file_name(number);
  }

  /// A read from that sequence on.
  read_job job(std::uint64_t from) {
    read_job made;
    made.request = std::make_unique<read_request>();
    made.name = "tenant/log";
    made.page.stream = stream_id{the_stream};
    made.page.next = sequence{30};
    made.page.next_from = sequence{from};
    made.segments = segments;
    made.blocks = blocks;
    made.sealed_end = sequence{20};
    return made;
  }

  /// A read from that time on, of a stream that begins at `first`.
  read_job job_at(std::int64_t time, std::uint64_t first = 0) {
    auto made = job(20); // As the index of the journal knows it.
    made.request->options.from_time = time;
    made.time_sealed = true;
    made.first = sequence{first};
    return made;
  }

  /// Runs it; the sequences that came, checked to be as they were told.
  std::pair<std::uint64_t, std::uint64_t> range(read_job job) {
    const auto page = reader.run(job);
    REQUIRE_MESSAGE(page, page.error().context);
    REQUIRE_FALSE(page->entries.empty());
    const auto first = raw(page->entries.front().seq);
    auto next = first;
    for (const auto& entry : page->entries) {
      CHECK(raw(entry.seq) == next);
      CHECK(entry.time_ms == time_of(next));
      CHECK(entry.payload.size() == 100);
      CHECK(as_text(entry.payload).starts_with(std::to_string(next) + "/"));
      ++next;
    }
    CHECK(raw(page->next_from) == next);
    return {first, next};
  }

  error refusal(read_job job) {
    const auto page = reader.run(job);
    REQUIRE_FALSE(page);
    return page.error();
  }

  simulated_disk disk{1};
  std::shared_ptr<const segment_list> segments;
  std::vector<indexed_block> blocks;
  block_reader reader{disk, "journal"};

private:
  segment_summary write_segment(std::uint64_t number, std::uint64_t first) {
    segment_config config;
    config.number = number;
    config.journal_first = config.journal_last = static_cast<std::uint32_t>(
      number);
    auto writer = segment_writer::create(disk, path(number), config);
    REQUIRE(writer);
    block_builder builder;
    for (const auto stream : {the_stream - 1, the_stream, the_stream + 1})
      for (const auto begin : {first, first + 5})
        REQUIRE(writer->add(build(builder, told(stream, begin))));
    const auto made = writer->finish();
    REQUIRE(made);
    return *made;
  }

  void write_journal() {
    const auto file = disk.open("journal/" + journal_file_name(3),
                                open_mode::create);
    REQUIRE(file);
    std::uint32_t offset = 64;
    for (const std::uint64_t first : {20u, 25u}) {
      block_builder builder;
      const auto bytes = build(builder, told(the_stream, first)).whole;
      REQUIRE((*file)->write(offset, bytes));
      const auto size = static_cast<std::uint32_t>(bytes.size());
      blocks.push_back({sequence{first}, {3, offset, size}, 5});
      offset += size;
    }
  }
};

using range_type = std::pair<std::uint64_t, std::uint64_t>;

} // namespace

TEST_SUITE("block_reader_segment") {
  TEST_CASE_FIXTURE(sealed_and_not, "a page spans segments and journal") {
    for (std::uint64_t from = 0; from < 30; ++from)
      CHECK(range(job(from)) == range_type{from, 30});
  }

  TEST_CASE_FIXTURE(sealed_and_not, "a page ends with its count, wherever") {
    for (std::uint64_t from = 0; from < 30; ++from)
      for (std::uint32_t count = 1; from + count <= 30; ++count) {
        auto wanted = job(from);
        wanted.request->options.count_max = count;
        CHECK(range(std::move(wanted)) == range_type{from, from + count});
      }
  }

  TEST_CASE_FIXTURE(sealed_and_not, "a page ends with its bytes, wherever") {
    for (std::uint64_t from = 0; from < 29; ++from)
      for (std::uint64_t count = 1; from + count < 30; ++count)
        for (const std::uint64_t more : {0u, 99u}) {
          auto wanted = job(from);
          wanted.request->options.bytes_max = count * 100 + more;
          CHECK(range(std::move(wanted)) == range_type{from, from + count});
        }
  }

  TEST_CASE_FIXTURE(sealed_and_not,
                    "one entry comes though it has too many bytes") {
    for (const std::uint64_t from : {0u, 9u, 10u, 19u, 20u, 29u}) {
      auto wanted = job(from);
      wanted.request->options.bytes_max = 1;
      CHECK(range(std::move(wanted)) == range_type{from, from + 1});
    }
  }

  TEST_CASE_FIXTURE(sealed_and_not,
                    "a page that the segments fill reads no journal") {
    disk.remove_raw("journal/" + journal_file_name(3));
    auto wanted = job(5);
    wanted.request->options.count_max = 15;
    CHECK(range(std::move(wanted)) == range_type{5, 20});
  }

  // -- from a time -----------------------------------------------------------

  TEST_CASE_FIXTURE(sealed_and_not, "a time leads to a block in its segment") {
    // A read from a time begins with the entry, not with its block.
    for (std::uint64_t seq = 0; seq < 20; ++seq)
      for (const std::int64_t earlier : {0, 4}) {
        CAPTURE(seq);
        CHECK(range(job_at(time_of(seq) - earlier)) == range_type{seq, 30});
      }
  }

  TEST_CASE_FIXTURE(sealed_and_not,
                    "a time before all entries leads to the first") {
    CHECK(range(job_at(0)) == range_type{0, 30});
    CHECK(range(job_at(-5)) == range_type{0, 30});
  }

  TEST_CASE_FIXTURE(sealed_and_not,
                    "a time behind the segments leads to the journal") {
    CHECK(range(job_at(time_of(19) + 1)) == range_type{20, 30});
    CHECK(range(job_at(time_of(23))) == range_type{23, 30});
  }

  TEST_CASE_FIXTURE(sealed_and_not, "a time leads to no deleted entry") {
    for (const std::uint64_t first : {3u, 10u, 14u, 19u}) {
      CHECK(range(job_at(time_of(0), first)) == range_type{first, 30});
      CHECK(range(job_at(time_of(19), first)) == range_type{19, 30});
    }
  }

  // -- what is lost ----------------------------------------------------------

  TEST_CASE_FIXTURE(sealed_and_not, "a segment that is gone is io_failed") {
    disk.remove_raw(path(2));
    CHECK(refusal(job(10)).code == errc::io_failed);
    CHECK(refusal(job(19)).code == errc::io_failed);
  }

  TEST_CASE_FIXTURE(sealed_and_not,
                    "a segment that is open outlives its name") {
    REQUIRE(segments->open(0));
    REQUIRE(segments->open(1));
    REQUIRE(disk.unlink(path(1)));
    REQUIRE(disk.unlink(path(2)));
    CHECK(range(job(0)) == range_type{0, 30});
  }

  TEST_CASE_FIXTURE(sealed_and_not,
                    "a journal file that is gone is io_failed, and what the "
                    "segments have comes before") {
    disk.remove_raw("journal/" + journal_file_name(3));
    CHECK(range(job(3)) == range_type{3, 20});
    CHECK(refusal(job(20)).code == errc::io_failed);
  }

  TEST_CASE_FIXTURE(sealed_and_not, "a disk that fails is told from damage") {
    REQUIRE(segments->open(0));
    REQUIRE(segments->open(1));
    disk.fail(disk_call::read, 1, EIO, true);
    CHECK(refusal(job(0)).code == errc::io_failed);
    disk.heal();
    CHECK(range(job(0)) == range_type{0, 30});
  }

  TEST_CASE_FIXTURE(sealed_and_not, "entries that no segment has are damage") {
    auto wanted = job(0);
    const segment_list none{{nullptr, "segments", {}}};
    wanted.segments = none.with({});
    const auto why = refusal(std::move(wanted));
    CHECK(why.code == errc::corrupt);
    CHECK(why.context.find("entries 0 to 19 ") != std::string::npos);
  }

  TEST_CASE_FIXTURE(sealed_and_not, "damage in a segment names what it hit") {
    const auto size = disk.open(path(2), open_mode::read).value()->size();
    auto named = 0;
    for (std::uint64_t byte = 0; byte < *size; byte += 37) {
      block_reader fresh{disk, "journal"};
      disk.flip_bit(path(2), byte, 2);
      const segment_list none{
        {std::shared_ptr<torpor::disk>{std::shared_ptr<void>{}, &disk},
         "segments",
         {}}};
      auto wanted = job(10);
      wanted.segments = none.with({segments->summary(0), segments->summary(1)});
      const auto page = fresh.run(wanted);
      // Or the byte is of no account here: no wrong one comes in any case.
      if (!page) {
        CHECK(page.error().context.find("'tenant/log'") != std::string::npos);
        CHECK(page.error().context.find("entries 10 to ") != std::string::npos);
        ++named;
      } else {
        CHECK(page->entries.size() == 20);
      }
      disk.flip_bit(path(2), byte, 2);
    }
    CHECK(named > 0);
  }
}
