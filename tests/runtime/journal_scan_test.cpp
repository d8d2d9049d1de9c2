// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal_scan.hpp"

#include "runtime/wire.hpp"
#include "tests/support/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr auto durable = commit_outcome::durable;
constexpr scan_options inspect{1, 1, false};

using strings = std::vector<std::string>;

bool names(const error& failure, const std::string& path,
           std::uint64_t offset) {
  const auto text = "'" + path + "' at byte " + std::to_string(offset) + ":";
  return failure.code == errc::corrupt
         && failure.context.find(text) != std::string::npos;
}

/// `count` commits of about 10 kB: 5 to a file.
void fill(journal_fixture& journal, int count) {
  for (int n = 0; n < count; ++n)
    REQUIRE(journal.commit(std::string(10'000, static_cast<char>('a' + n % 26)))
            == durable);
}

/// Files 1 to 3, 12 frames, the last one unmarked.
struct three_files : journal_fixture {
  three_files() {
    open();
    fill(*this, 12);
    REQUIRE(log->current_file() == 3);
  }
};

constexpr std::uint64_t frame_size = 3 * 4096; ///< Of those commits.

/// Puts a changed copy of a frame's header, sound again, in front of the
/// frame's own blocks at `to`.
template <class Change>
void forge(journal_fixture& journal, std::uint32_t file, std::uint64_t from,
           std::uint64_t to, Change change) {
  const auto all = journal.bytes(file);
  auto header = decode_frame_header(bytes_view{all}.subspan(from)).value();
  const auto bytes = frame_bytes(header.payload_bytes);
  std::vector<std::byte> frame(all.begin() + static_cast<long>(from),
                               all.begin() + static_cast<long>(from + bytes));
  change(header);
  encode(header, frame.data());
  journal.put(file, to, frame);
}

} // namespace

TEST_SUITE("journal_scan") {
  TEST_CASE("an empty directory is an empty journal") {
    journal_fixture journal;
    const auto scanned = journal.scan();
    REQUIRE(scanned);
    CHECK(scanned->frames == 0);
    CHECK(scanned->end.frame == 0);
    CHECK(scanned->end.file == 0);
    CHECK(scanned->end.spare == 0);
  }

  TEST_CASE("a scan delivers all blocks of all files in order") {
    three_files journal;
    const auto scanned = journal.scan(inspect);
    REQUIRE(scanned);
    CHECK(journal.texts() == journal.acknowledged);
    CHECK(scanned->damages.empty());
    CHECK(scanned->frames == 12);
    CHECK(scanned->blocks == 12);
    CHECK(scanned->bytes == 12 * frame_size);
    CHECK(scanned->end.frame == 12);
    CHECK(scanned->end.file == 3);
    CHECK(scanned->end.incarnation == 1);
    CHECK(!scanned->end.idle);
  }

  TEST_CASE("inspecting changes nothing") {
    three_files journal;
    REQUIRE(
      journal.disk.open("journal/0000000009.journal.tmp", open_mode::create));
    const auto changes = journal.disk.changes();
    REQUIRE(journal.scan(inspect));
    CHECK(journal.disk.changes() == changes);
  }

  TEST_CASE("scanning again finds the same and changes nothing more") {
    three_files journal;
    journal.cut_power();
    const auto once = journal.scan();
    REQUIRE(once);
    const auto seen = journal.texts();
    const auto left = journal.bytes(3);
    const auto twice = journal.scan();
    REQUIRE(twice);
    CHECK(journal.texts() == seen);
    CHECK(journal.bytes(3) == left);
    CHECK(twice->end.checksum == once->end.checksum);
    CHECK(left.size() == 2 * frame_size);
  }

  TEST_CASE("blocks larger than the window, and frames of many blocks") {
    journal_fixture journal;
    journal.config.file_bytes = 8u << 20;
    journal.open();
    std::vector<journal_block> many;
    for (int n = 0; n < 9000; ++n)
      many.push_back(
        journal.block(static_cast<unsigned>(n % 100),
                      std::string(static_cast<unsigned>(n) % 700, 'm')));
    std::vector<journal_block*> blocks;
    for (auto& block : many)
      blocks.push_back(&block);
    REQUIRE(journal.log->commit(blocks) == durable);
    REQUIRE(journal.commit(std::string(3u << 20, 'L')) == durable);
    REQUIRE(journal.commit("small") == durable);
    const auto scanned = journal.scan();
    REQUIRE(scanned);
    CHECK(journal.texts() == journal.told);
    CHECK(scanned->blocks == 9002);
  }

  TEST_CASE("every torn length of the last frame keeps the frames before") {
    constexpr auto sectors = frame_size / 512;
    for (std::uint64_t torn = 0; torn < sectors; ++torn) {
      journal_fixture journal;
      journal.open();
      fill(journal, 3);
      const std::vector<std::byte> zeros(frame_size - torn * 512);
      const auto at = 2 * frame_size + torn * 512;
      // The last sectors are padding: without them the frame is whole.
      const auto whole = at >= 2 * frame_size + frame_head_bytes
                                 + journal.kept.back()->size();
      journal.put(1, at, zeros);
      const auto scanned = journal.open();
      const auto kept = whole ? 3u : 2u;
      CHECK(scanned.end.frame == kept);
      journal.acknowledged.resize(kept);
      CHECK(journal.texts() == journal.acknowledged);
      CHECK(journal.size(1) == kept * frame_size);
      journal.next[7] = kept;
      fill(journal, 1);
      CHECK(journal.log->current_file() == 2);
      REQUIRE(journal.scan());
      CHECK(journal.texts() == journal.acknowledged);
    }
  }

  TEST_CASE("a flipped bit is named, or harms only the unmarked last frame") {
    journal_fixture journal;
    journal.open();
    for (const auto* payload : {"one", "two", "three", "four"})
      REQUIRE(journal.commit(payload) == durable);
    const auto file = journal.path(1);
    const auto last = 3 * 4096u;
    for (std::uint64_t byte = 0; byte < 5 * 4096; ++byte) {
      const auto bit = static_cast<unsigned>(byte * 7 % 8);
      journal.disk.flip_bit(file, byte, bit);
      const auto frame = byte / 4096;
      const auto used = frame_head_bytes
                        + (frame < 4 ? journal.kept[frame]->size() : 0);
      const auto harmless = byte % 4096 >= used || frame >= 4;
      const auto scanned = journal.scan(inspect);
      REQUIRE(scanned);
      auto expected = journal.acknowledged;
      if (harmless) {
        REQUIRE(scanned->damages.empty());
      } else if (byte >= last) {
        REQUIRE(scanned->damages.empty());
        expected.pop_back();
      } else {
        REQUIRE(scanned->damages.size() == 1);
        REQUIRE(scanned->damages[0].file == file);
        REQUIRE(scanned->damages[0].offset == frame * 4096);
        REQUIRE(scanned->damages[0].bytes == 4096);
        // A block that is whole is delivered even so.
        if (byte % 4096 >= frame_head_bytes)
          expected.erase(expected.begin() + static_cast<long>(frame));
        const auto repaired = journal.scan();
        REQUIRE(!repaired);
        REQUIRE(names(repaired.error(), file, frame * 4096));
        REQUIRE(journal.scan(inspect));
      }
      REQUIRE_MESSAGE(journal.texts() == expected, byte);
      journal.disk.flip_bit(file, byte, bit);
    }
    REQUIRE(journal.scan());
    CHECK(journal.texts() == journal.acknowledged);
  }

  TEST_CASE("behind an idle mark a damaged last frame is no torn tail") {
    for (const bool marked : {false, true}) {
      journal_fixture journal;
      journal.open();
      fill(journal, 2);
      if (marked)
        REQUIRE(journal.log->mark_idle() == durable);
      journal.disk.flip_bit(journal.path(1), frame_size + 500, 3);
      const auto scanned = journal.scan();
      REQUIRE(scanned.has_value() == !marked);
      if (marked)
        CHECK(names(scanned.error(), journal.path(1), frame_size));
    }
  }

  TEST_CASE("the first frame of a later file vouches for the files before") {
    for (const std::uint64_t at : {0u, 1u, 4u}) {
      three_files journal;
      journal.disk.flip_bit(journal.path(2), at * frame_size + 300, 0);
      const auto scanned = journal.scan();
      REQUIRE(!scanned);
      CHECK(names(scanned.error(), journal.path(2), at * frame_size));
    }
  }

  TEST_CASE("a failed scan has changed nothing") {
    three_files journal;
    journal.disk.flip_bit(journal.path(2), 300, 0);
    const auto changes = journal.disk.changes();
    CHECK(!journal.scan());
    CHECK(journal.disk.changes() == changes);
  }

  TEST_CASE("damage in files that the catalog covers is reported only") {
    three_files journal;
    journal.disk.flip_bit(journal.path(1), frame_size + 300, 0);
    const auto scanned = journal.open({2, 2, true});
    REQUIRE(scanned.damages.size() == 1);
    CHECK(scanned.damages[0].file == journal.path(1));
    CHECK(scanned.damages[0].offset == frame_size);
    CHECK(scanned.damages[0].bytes == frame_size);
    CHECK(scanned.end.frame == 12);
    journal.acknowledged.erase(journal.acknowledged.begin() + 1);
    CHECK(journal.texts() == journal.acknowledged);
  }

  TEST_CASE("of a damaged frame the whole blocks are delivered") {
    for (const bool in_header : {false, true}) {
      journal_fixture journal;
      journal.open();
      std::vector<journal_block> made;
      for (const auto* payload : {"one", "two", "three"})
        made.push_back(journal.block(1, payload));
      journal_block* blocks[] = {&made[0], &made[1], &made[2]};
      REQUIRE(journal.log->commit(blocks) == durable);
      REQUIRE(journal.commit("after", 2) == durable);
      const auto at = in_header ? 50 : made[1].place.offset + 15;
      journal.disk.flip_bit(journal.path(1), at, 0);
      const auto scanned = journal.scan({2, 2, true});
      REQUIRE(scanned);
      CHECK(scanned->damages.size() == 1);
      CHECK(journal.texts()
            == (in_header
                  ? strings{"1/0: one", "1/1: two", "1/2: three", "2/0: after"}
                  : strings{"1/0: one", "1/2: three", "2/0: after"}));
    }
  }

  TEST_CASE("of a file's lost end the whole blocks are delivered") {
    three_files journal;
    // Frame 5, the last of file 1: only its checksum of the blocks is wrong.
    forge(journal, 1, 4 * frame_size, 4 * frame_size,
          [](frame_header& header) { header.payload_checksum ^= 1; });
    const auto scanned = journal.scan({2, 2, true});
    REQUIRE(scanned);
    REQUIRE(scanned->damages.size() == 1);
    CHECK(scanned->damages[0].offset == 4 * frame_size);
    CHECK(scanned->blocks == 12);
    CHECK(journal.texts() == journal.acknowledged);
  }

  TEST_CASE("of a file's lost end no fenced frame is delivered") {
    journal_fixture journal;
    journal.open();
    fill(journal, 2);
    journal.disk.fail(disk_call::sync, 1, EIO);
    fill(journal, 2);
    REQUIRE(journal.log->current_file() == 2);
    // File 1 still shows frame 3; frame 2 before it is damaged.
    journal.disk.flip_bit(journal.path(1), frame_size + 300, 0);
    const auto scanned = journal.scan({2, 2, true});
    REQUIRE(scanned);
    CHECK(scanned->damages.size() == 1);
    journal.acknowledged.erase(journal.acknowledged.begin() + 1);
    CHECK(journal.texts() == journal.acknowledged);
  }

  TEST_CASE("a frame counts only in its own file, store and place") {
    for (const auto part : {"store", "file", "number"}) {
      journal_fixture journal;
      journal.open();
      fill(journal, 3);
      forge(journal, 1, 2 * frame_size, 3 * frame_size,
            [&](frame_header& header) {
              header.number = *part == 'n' ? header.number : 4;
              header.file += *part == 'f';
              header.store[3] ^= std::byte{*part == 's'};
              header.previous = header.checksum;
            });
      const auto scanned = journal.scan();
      REQUIRE(scanned);
      CHECK(scanned->end.frame == 3);
      CHECK(journal.texts() == journal.acknowledged);
      CHECK(journal.size(1) == 3 * frame_size);
    }
  }

  TEST_CASE("a frame that follows another one than it should is damage") {
    journal_fixture journal;
    journal.open();
    fill(journal, 3);
    forge(journal, 1, frame_size, frame_size,
          [](frame_header& header) { header.incarnation = 9; });
    const auto scanned = journal.scan();
    REQUIRE(!scanned);
    CHECK(names(scanned.error(), journal.path(1), 2 * frame_size));
  }

  TEST_CASE("a frame number that was left out is damage") {
    journal_fixture journal;
    journal.open();
    fill(journal, 3);
    forge(journal, 1, 2 * frame_size, frame_size, [](frame_header&) {});
    const auto scanned = journal.scan();
    REQUIRE(!scanned);
    CHECK(names(scanned.error(), journal.path(1), frame_size));
    CHECK(scanned.error().context.find("frames 2 to 2 are missing")
          != std::string::npos);
  }

  TEST_CASE("a length beyond the file's end is not believed") {
    for (const auto bytes : {60'000u, 0xffffffffu}) {
      journal_fixture journal;
      journal.open();
      fill(journal, 2);
      forge(journal, 1, frame_size, frame_size,
            [&](frame_header& header) { header.payload_bytes = bytes; });
      const auto scanned = journal.scan(inspect);
      REQUIRE(scanned);
      CHECK(scanned->end.frame == 1);
    }
  }

  TEST_CASE("damage to the oldest frame there is does not go unnoticed") {
    three_files journal;
    journal.disk.remove_raw(journal.path(1));
    journal.disk.flip_bit(journal.path(2), 20, 0);
    const auto scanned = journal.scan({2, 2, true});
    REQUIRE(!scanned);
    CHECK(names(scanned.error(), journal.path(2), 0));
  }

  TEST_CASE("a payload that looks like a block or a frame is never served") {
    journal_fixture journal;
    journal.open();
    REQUIRE(journal.commit("old") == durable);
    const auto copy = journal.bytes(1);
    // One page into its frame this payload is a copy of the journal, and two
    // pages in only of what stands behind a header.
    auto small = journal.block(8, "small");
    std::string payload(4096 - frame_head_bytes - small.bytes.size() - 23, '-');
    payload += as_text(bytes_view{copy}.first(4096));
    payload += std::string(frame_head_bytes, '-');
    payload += as_text(bytes_view{copy}.subspan(frame_head_bytes, 4096));
    auto trap = journal.block(9, payload);
    journal_block* blocks[] = {&small, &trap};
    REQUIRE(journal.log->commit(blocks) == durable);
    REQUIRE(std::equal(copy.begin(), copy.begin() + 4096,
                       journal.bytes(1).begin() + 8192));
    REQUIRE(journal.commit("new") == durable);
    const auto& told = journal.told;
    const auto after = [&](std::vector<std::uint64_t> flips) {
      for (const auto at : flips)
        journal.disk.flip_bit(journal.path(1), at, 1);
      const auto scanned = journal.scan(inspect);
      REQUIRE(scanned);
      CHECK(scanned->damages.size() == 1);
      for (const auto at : flips)
        journal.disk.flip_bit(journal.path(1), at, 1);
      return journal.texts();
    };
    const auto header = 4096 + 20u;
    const auto trap_size = trap.place.offset + 3;
    const auto trap_body = trap.place.offset + 12;
    const auto small_size = small.place.offset + 3;
    const strings without_trap{told[0], told[1], told[3]};
    CHECK(after({header}) == told);
    CHECK(after({trap_body}) == without_trap);
    CHECK(after({trap_size}) == without_trap);
    CHECK(after({header, trap_body}) == without_trap);
    CHECK(after({header, trap_size}) == without_trap);
    CHECK(after({header, small_size}) == strings{told[0], told[3]});
    // The copy's header damaged as well: only its blocks look genuine.
    CHECK(after({header, trap_size, 8192 + 20}) == without_trap);
  }

  TEST_CASE("a missing file is named") {
    for (const std::uint32_t gone : {1u, 2u}) {
      three_files journal;
      journal.disk.remove_raw(journal.path(gone));
      const auto scanned = journal.scan();
      REQUIRE(!scanned);
      CHECK(names(scanned.error(), journal.path(gone), 0));
      const auto seen = journal.scan(inspect);
      REQUIRE(seen);
      REQUIRE(seen->damages.size() == 1);
      CHECK(seen->damages[0].file == journal.path(gone));
      CHECK(seen->damages[0].bytes == 0);
      CHECK(seen->blocks == 7);
    }
  }

  TEST_CASE("files that were sealed and removed are not missing") {
    three_files journal;
    journal.disk.remove_raw(journal.path(1));
    const auto scanned = journal.scan({2, 2, true});
    REQUIRE(scanned);
    CHECK(scanned->damages.empty());
    CHECK(scanned->end.frame == 12);
    CHECK(scanned->blocks == 7);
  }

  TEST_CASE("a file that was saved and not sealed is missed") {
    three_files journal;
    journal.disk.remove_raw(journal.path(1));
    const auto scanned = journal.scan({3, 1, true});
    REQUIRE(scanned);
    REQUIRE(scanned->damages.size() == 1);
    CHECK(scanned->damages[0].file == journal.path(1));
    CHECK(scanned->blocks == 7);
  }

  TEST_CASE("a journal that ends before what the catalog knows is refused") {
    three_files journal;
    REQUIRE(journal.scan({4, 4, true}));
    const auto scanned = journal.scan({5, 5, true});
    REQUIRE(!scanned);
    CHECK(names(scanned.error(), journal.path(4), 0));
    for (const std::uint32_t number : {1u, 2u, 3u})
      journal.disk.remove_raw(journal.path(number));
    CHECK(!journal.scan({3, 3, true}));
    CHECK(journal.scan({1, 1, true}));
  }

  TEST_CASE("a file that lost its end is noticed, at a frame's end too") {
    for (const std::uint64_t left : {0u, 3u, 4u}) {
      three_files journal;
      journal.disk.truncate_raw(journal.path(2), left * frame_size);
      const auto scanned = journal.scan();
      REQUIRE(!scanned);
      CHECK(names(scanned.error(), journal.path(2), left * frame_size));
    }
  }

  TEST_CASE("files of another store are refused and not touched") {
    three_files journal;
    journal.config.store.fill(std::byte{1});
    const auto changes = journal.disk.changes();
    const auto scanned = journal.scan();
    REQUIRE(!scanned);
    CHECK(scanned.error().code == errc::incompatible);
    CHECK(scanned.error().context.find(journal.path(1)) != std::string::npos);
    CHECK(journal.scan(inspect).error().code == errc::incompatible);
    CHECK(journal.disk.changes() == changes);
  }

  TEST_CASE("a newer format is refused and not touched") {
    three_files journal;
    auto head = journal.bytes(3);
    head.resize(frame_head_bytes);
    head[8] = std::byte{2};
    const auto sum = checksum_of(bytes_view{head}.first(120));
    std::memcpy(head.data() + 120, &sum, sizeof sum);
    journal.put(3, 0, head);
    const auto changes = journal.disk.changes();
    const auto scanned = journal.scan();
    REQUIRE(!scanned);
    CHECK(scanned.error().code == errc::incompatible);
    CHECK(journal.disk.changes() == changes);
  }

  TEST_CASE("a renamed file is refused, not taken for a torn one") {
    three_files journal;
    REQUIRE(journal.disk.rename(journal.path(3), journal.path(4)));
    const auto scanned = journal.scan({4, 4, true});
    REQUIRE(!scanned);
    CHECK(names(scanned.error(), journal.path(4), 0));
    CHECK(journal.size(4) == journal.config.file_bytes);
  }

  TEST_CASE("a journal without frames is missed from where its segments end") {
    three_files journal;
    journal.disk.remove_raw(journal.path(1));
    journal.disk.remove_raw(journal.path(2));
    journal.put(3, 0, std::vector<std::byte>(journal.config.file_bytes));
    const auto sealed = journal.scan({3, 3, true});
    REQUIRE(!sealed);
    CHECK(names(sealed.error(), journal.path(2), 0));
    CHECK(sealed.error().context.find("newer") != std::string::npos);
    const auto half = journal.scan({4, 2, true});
    REQUIRE(!half);
    CHECK(names(half.error(), journal.path(2), 0));
  }

  TEST_CASE("a spare is found and used") {
    journal_fixture journal;
    journal.open();
    REQUIRE(journal.commit("first") == durable);
    REQUIRE(journal.log->prepare(2));
    journal.cut_power();
    const auto scanned = journal.open();
    CHECK(scanned.end.spare == 2);
    CHECK(journal.log->wants_spare() == 0);
    const auto writes = journal.disk.count(disk_call::write);
    REQUIRE(journal.commit("second") == durable);
    CHECK(journal.disk.count(disk_call::write) == writes + 1);
    CHECK(journal.log->current_file() == 2);
    CHECK(journal.log->wants_spare() == 3);
  }

  TEST_CASE("a spare's name is made durable before it is used") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      journal_fixture journal{seed};
      journal.open();
      REQUIRE(journal.commit("first") == durable);
      // The name's sync fails, and the process dies before it removes it.
      journal.disk.fail(disk_call::sync_directory, 1, EIO);
      journal.disk.fail(disk_call::unlink, 1, EIO);
      CHECK(!journal.log->prepare(2));
      journal.disk.restart();
      journal.open();
      REQUIRE(journal.commit("second") == durable);
      journal.cut_power(unsynced::dropped);
      REQUIRE(journal.scan());
      CHECK(journal.texts() == journal.acknowledged);
      CHECK(journal.disk.violations() == strings{});
    }
  }

  TEST_CASE("what is no proper spare is removed") {
    journal_fixture journal;
    journal.open();
    REQUIRE(journal.commit("first") == durable);
    const auto make = [&](std::uint32_t number) {
      REQUIRE(journal.log->prepare(number));
    };
    SUBCASE("not all zeros") {
      make(2);
      journal.disk.flip_bit(journal.path(2), 60'000, 5);
    }
    SUBCASE("of another size") {
      make(2);
      journal.disk.truncate_raw(journal.path(2), 4096);
    }
    SUBCASE("not finished") {
      REQUIRE(journal.disk.open(unfinished_file_path(journal.config, 2),
                                open_mode::create));
    }
    const auto scanned = journal.open();
    CHECK(scanned.end.spare == 0);
    CHECK(journal.disk.list("journal").value().size() == 1);
    journal.cut_power(unsynced::dropped);
    CHECK(journal.disk.list("journal").value().size() == 1);
    journal.open();
    REQUIRE(journal.commit("second") == durable);
    REQUIRE(journal.scan());
    CHECK(journal.texts() == journal.acknowledged);
  }

  TEST_CASE("a torn first frame takes its file with it") {
    three_files journal;
    for (const std::uint64_t frame : {0u, 1u})
      journal.disk.flip_bit(journal.path(3), frame * frame_size + 5, 1);
    const auto scanned = journal.open();
    CHECK(scanned.end.frame == 10);
    CHECK(scanned.end.file == 2);
    CHECK(journal.disk.list("journal").value().size() == 2);
    journal.acknowledged.resize(10);
    CHECK(journal.texts() == journal.acknowledged);
  }

  TEST_CASE("a frame behind the tail does not come back after two crashes") {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      journal_fixture journal{seed};
      journal.open();
      fill(journal, 2);
      journal.disk.crash_at(2); // In the sync: frame 3 is torn, or all there.
      CHECK(journal.commit("perhaps") != durable);
      journal.cut_power();
      journal.open();
      const auto first = journal.texts();
      journal.next[7] = first.size();
      // A second crash, with nothing written in between.
      journal.cut_power();
      journal.open();
      CHECK(journal.texts() == first);
      // And a third, when the same frame number was used again.
      REQUIRE(journal.commit("instead") == durable);
      journal.cut_power();
      REQUIRE(journal.scan());
      auto expected = first;
      expected.push_back(journal.told.back());
      CHECK(journal.texts() == expected);
    }
  }

  TEST_CASE("what a scan showed survives, though its sync had failed") {
    int shown = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      journal_fixture journal{seed};
      journal.open();
      fill(journal, 2);
      // The sync fails, no room for another file, then the process is killed:
      // the page cache shows a frame that no plain sync will write.
      journal.disk.set_capacity(1);
      journal.disk.fail(disk_call::sync, 1, EIO);
      CHECK(journal.commit(std::string(9000, 'p')) == commit_outcome::no_room);
      journal.disk.set_capacity(0);
      journal.disk.restart();
      journal.open();
      const auto seen = journal.texts();
      shown += seen.size() == 3;
      journal.cut_power(unsynced::dropped);
      REQUIRE(journal.scan());
      CHECK(journal.texts() == seen);
      CHECK(journal.disk.violations() == strings{});
    }
    CHECK(shown == 60);
  }

  TEST_CASE("a fenced frame counts only until its next file has one") {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      journal_fixture journal{seed};
      journal.open();
      fill(journal, 2);
      journal.disk.fail(disk_call::sync, 1, EIO);
      fill(journal, 2);
      REQUIRE(journal.log->current_file() == 2);
      journal.disk.restart();
      const auto scanned = journal.scan();
      REQUIRE(scanned);
      CHECK(scanned->frames == 4);
      CHECK(journal.texts() == journal.acknowledged);
    }
  }

  TEST_CASE("a torn rewrite falls back to the fenced frame, or to none") {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      journal_fixture journal{seed};
      journal.open();
      fill(journal, 2);
      journal.disk.fail(disk_call::sync, 1, EIO);
      journal.disk.fail(disk_call::sync, 3, EIO); // The second is preparing.
      CHECK(journal.commit("maybe") == commit_outcome::failed);
      if (seed % 2 == 0)
        journal.disk.restart();
      else
        journal.cut_power();
      journal.open();
      const auto seen = journal.texts();
      REQUIRE((seen.size() == 2 || seen.size() == 3));
      journal.next[7] = seen.size();
      REQUIRE(journal.commit("later") == durable);
      journal.cut_power(unsynced::dropped);
      REQUIRE(journal.scan());
      auto expected = seen;
      expected.push_back(journal.told.back());
      CHECK(journal.texts() == expected);
      CHECK(journal.disk.violations() == strings{});
    }
  }

  TEST_CASE("a file that failed before its first frame is not missed later") {
    journal_fixture journal;
    journal.open();
    fill(journal, 5);
    auto spare = journal.log->prepare(2);
    journal.log->take_spare(2, std::move(*spare));
    journal.disk.fail(disk_call::write, 1, EIO);
    fill(journal, 1);
    REQUIRE(journal.log->current_file() == 3);
    SUBCASE("while the file before it is there") {}
    SUBCASE("when it is the oldest") {
      journal.disk.remove_raw(journal.path(1));
    }
    SUBCASE("when it is gone itself") {
      journal.disk.remove_raw(journal.path(1));
      journal.disk.remove_raw(journal.path(2));
    }
    const auto scanned = journal.scan({2, 2, true});
    REQUIRE_MESSAGE(scanned, scanned.error().context);
    CHECK(scanned->damages.empty());
    CHECK(scanned->end.frame == 6);
  }

  TEST_CASE("a scan that fails or dies anywhere is completed by the next") {
    const auto prepare = [](journal_fixture& journal) {
      journal.open();
      fill(journal, 7);
      journal.disk.crash_at(2);
      CHECK(journal.commit(std::string(9000, 'u')) != durable);
      journal.cut_power();
      REQUIRE(journal.disk.open(unfinished_file_path(journal.config, 4),
                                open_mode::create));
      journal.put(2, 50'000, as_bytes("torn"));
      REQUIRE(journal.log->prepare(3));
    };
    for (std::uint64_t nth = 1; nth <= 12; ++nth) {
      for (std::uint64_t seed = 0; seed < 8; ++seed) {
        journal_fixture journal{seed};
        prepare(journal);
        journal.disk.crash_at(nth);
        const auto died = !journal.scan();
        CHECK((died || nth >= 8));
        const auto seen = journal.texts();
        if (seed % 2 == 0)
          journal.cut_power();
        else
          journal.disk.restart();
        REQUIRE(journal.scan());
        CHECK(journal.texts() == seen);
        journal.cut_power();
        REQUIRE(journal.scan());
        CHECK(journal.texts() == seen);
        CHECK(journal.disk.violations() == strings{});
      }
    }
    const auto calls = {
      disk_call::open,   disk_call::write,          disk_call::sync,
      disk_call::read,   disk_call::truncate,       disk_call::rename,
      disk_call::unlink, disk_call::sync_directory, disk_call::list};
    for (const auto call : calls) {
      for (std::uint64_t nth = 1; nth <= 12; ++nth) {
        journal_fixture journal{nth};
        prepare(journal);
        journal.disk.fail(call, nth, EIO);
        const auto once = journal.scan();
        CHECK((once || once.error().code == errc::io_failed));
        CHECK((nth > 1 || !once));
        journal.disk.heal();
        journal.cut_power();
        REQUIRE(journal.scan());
        REQUIRE(journal.texts().size() >= 7);
        journal.acknowledged.resize(7);
        CHECK(std::equal(journal.acknowledged.begin(),
                         journal.acknowledged.end(), journal.texts().begin()));
      }
    }
  }
}
