// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_reader.hpp"

#include "runtime/journal_files.hpp"
#include "tests/support/simulated_disk.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr stream_id the_stream{7u << 8};

/// One journal file a block; each block has three entries "n.0" to "n.2".
class blocks_on_disk {
public:
  blocks_on_disk() {
    REQUIRE(disk.make_directory("journal"));
    for (std::uint32_t number = 1; number <= 20; ++number)
      put(number, the_stream, (number - 1) * 3);
  }

  void put(std::uint32_t number, stream_id stream, std::uint64_t first) {
    block_builder builder;
    builder.start(stream, sequence{first});
    for (int i = 0; i < 3; ++i)
      builder.add(as_bytes(std::to_string(number) + "." + std::to_string(i)),
                  {}, number);
    const auto bytes = builder.finish();
    const auto path = "journal/" + journal_file_name(number);
    static_cast<void>(disk.unlink(path));
    const auto made = disk.open(path, open_mode::create);
    REQUIRE(made);
    REQUIRE((*made)->write(100, bytes));
    place.push_back({number, 100, static_cast<std::uint32_t>(bytes.size())});
  }

  /// A read of the blocks `from` to `to` - 1, counted from 0.
  read_job job(std::uint32_t from, std::uint32_t to) {
    read_job made;
    made.request = std::make_unique<read_request>();
    made.name = "tenant/log";
    made.page.stream = the_stream;
    made.page.next = sequence{60};
    made.page.next_from = sequence{from * 3};
    for (auto i = from; i < to; ++i)
      made.blocks.push_back({sequence{i * 3}, place[i], 3});
    return made;
  }

  std::string path(std::uint32_t number) {
    return "journal/" + journal_file_name(number);
  }

  simulated_disk disk{1};
  std::vector<block_place> place;
  block_reader reader{disk, "journal"};
};

std::vector<std::string> texts(const result<read_page>& page) {
  REQUIRE_MESSAGE(page, page.error().context);
  std::vector<std::string> all;
  for (const auto& entry : page->entries)
    all.emplace_back(as_text(entry.payload));
  return all;
}

/// The page names the stream, the range and the reason.
void check_damaged(const result<read_page>& page, std::string_view range) {
  REQUIRE_FALSE(page);
  CHECK(page.error().code == errc::corrupt);
  CHECK(page.error().context.find("'tenant/log'") != std::string::npos);
  CHECK_MESSAGE(page.error().context.find(range) != std::string::npos,
                page.error().context);
}

using names = std::vector<std::string>;

} // namespace

TEST_SUITE("block_reader") {
  TEST_CASE_FIXTURE(blocks_on_disk, "entries of several blocks come in order") {
    auto wanted = job(0, 2);
    const auto page = reader.run(wanted);
    CHECK(texts(page) == names{"1.0", "1.1", "1.2", "2.0", "2.1", "2.2"});
    CHECK(page->next_from == sequence{6});
    CHECK(page->next == sequence{60});
    CHECK(page->stream == the_stream);
  }

  TEST_CASE_FIXTURE(blocks_on_disk, "a read may begin and end inside a block") {
    auto wanted = job(0, 3);
    wanted.page.next_from = sequence{2};
    wanted.request->options.count_max = 5;
    const auto page = reader.run(wanted);
    CHECK(texts(page) == names{"1.2", "2.0", "2.1", "2.2", "3.0"});
    CHECK(page->next_from == sequence{7});
  }

  TEST_CASE_FIXTURE(blocks_on_disk,
                    "a page stays good when its reader is gone") {
    auto wanted = job(0, 1);
    auto moved = [&] {
      block_reader other{disk, "journal"};
      auto page = other.run(wanted).value();
      return read_page{std::move(page)};
    }();
    CHECK(as_text(moved.entries[1].payload) == "1.1");
  }

  TEST_CASE_FIXTURE(blocks_on_disk, "few files are kept open, all are found") {
    for (int round = 0; round < 2; ++round)
      for (std::uint32_t i = 0; i < 20; ++i) {
        auto wanted = job(i, i + 1);
        CHECK(texts(reader.run(wanted)).size() == 3);
      }
    auto again = job(19, 20);
    const auto opened = disk.count(disk_call::open);
    CHECK(texts(reader.run(again)).size() == 3);
    CHECK(disk.count(disk_call::open) == opened);
  }

  // -- damage ----------------------------------------------------------------

  TEST_CASE_FIXTURE(blocks_on_disk,
                    "a flipped bit is an error with its range") {
    disk.flip_bit(path(2), 120, 3);
    auto wanted = job(1, 4);
    check_damaged(reader.run(wanted), "entries 3 to 5 ");
  }

  TEST_CASE_FIXTURE(blocks_on_disk,
                    "the range is the block's, also when it is the last") {
    disk.flip_bit(path(2), 120, 3);
    auto wanted = job(1, 2);
    check_damaged(reader.run(wanted), "entries 3 to 5 ");
  }

  TEST_CASE_FIXTURE(blocks_on_disk, "what comes before the damage is given") {
    disk.flip_bit(path(3), 120, 3);
    auto wanted = job(0, 4);
    const auto page = reader.run(wanted);
    CHECK(texts(page).size() == 6);
    CHECK(page->next_from == sequence{6});
    auto next = job(2, 4);
    check_damaged(reader.run(next), "entries 6 to 8 ");
  }

  TEST_CASE_FIXTURE(blocks_on_disk, "a file that was cut is an error") {
    for (const std::uint64_t bytes : {110u, 101u, 100u, 50u, 0u}) {
      disk.truncate_raw(path(2), bytes);
      auto wanted = job(1, 3);
      check_damaged(reader.run(wanted), "entries 3 to 5 ");
    }
  }

  TEST_CASE_FIXTURE(blocks_on_disk, "a file that is gone is an error") {
    disk.remove_raw(path(2));
    auto wanted = job(1, 3);
    const auto page = reader.run(wanted);
    REQUIRE_FALSE(page);
    CHECK(page.error().code == errc::io_failed);
    CHECK(page.error().context.find("entries 3 to 5 ") != std::string::npos);
  }

  TEST_CASE_FIXTURE(blocks_on_disk, "a disk that fails is told from damage") {
    disk.fail(disk_call::read, 1, EIO);
    auto wanted = job(1, 3);
    const auto page = reader.run(wanted);
    REQUIRE_FALSE(page);
    CHECK(page.error().code == errc::io_failed);
    auto again = job(1, 3);
    CHECK(texts(reader.run(again)).size() == 6);
  }

  TEST_CASE_FIXTURE(blocks_on_disk,
                    "a sound block of another stream is refused") {
    put(2, stream_id{8u << 8}, 3);
    auto wanted = job(1, 2);
    check_damaged(reader.run(wanted), "another block is in its place");
  }

  TEST_CASE_FIXTURE(blocks_on_disk,
                    "a sound block of another place is refused") {
    put(2, the_stream, 30);
    auto wanted = job(1, 2);
    check_damaged(reader.run(wanted), "another block is in its place");
  }

  TEST_CASE_FIXTURE(blocks_on_disk, "missing blocks are an error, not a gap") {
    auto leading = job(2, 4);
    leading.page.next_from = sequence{3};
    check_damaged(reader.run(leading), "entries 3 to 5 ");
    auto inside = job(0, 3);
    inside.blocks.erase(inside.blocks.begin() + 1);
    const auto page = reader.run(inside);
    CHECK(texts(page).size() == 3);
    CHECK(page->next_from == sequence{3});
    auto none = job(5, 5);
    check_damaged(reader.run(none), "entries 15 to 59 ");
  }
}
