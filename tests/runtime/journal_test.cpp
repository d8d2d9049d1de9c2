// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal.hpp"

#include "tests/support/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr auto durable = commit_outcome::durable;
constexpr auto no_room = commit_outcome::no_room;
constexpr auto failed = commit_outcome::failed;

/// A payload that fills most of a file.
std::string large(char letter) {
  return std::string(50'000, letter);
}

/// A journal with one durable block in file 1 and no spare.
struct running : journal_fixture {
  running() {
    open();
    REQUIRE(commit("first") == durable);
  }

  /// What a scan after a power cut delivers is what was acknowledged.
  void check_kept() {
    cut_power(unsynced::dropped);
    const auto scanned = scan();
    REQUIRE_MESSAGE(scanned, scanned.error().context);
    CHECK(texts() == acknowledged);
    CHECK(disk.violations() == std::vector<std::string>{});
  }
};

} // namespace

TEST_SUITE("journal") {
  TEST_CASE("a committed block survives a power cut") {
    running journal;
    CHECK(journal.log->durable_frame() == 1);
    CHECK(journal.log->current_file() == 1);
    CHECK(journal.log->written_bytes() == 4096);
    journal.check_kept();
  }

  TEST_CASE("a commit is one write and one sync") {
    running journal;
    const auto writes = journal.disk.count(disk_call::write);
    const auto syncs = journal.disk.count(disk_call::sync);
    const auto changes = journal.disk.changes();
    REQUIRE(journal.commit(std::string(10'000, 'x')) == durable);
    CHECK(journal.disk.count(disk_call::write) == writes + 1);
    CHECK(journal.disk.count(disk_call::sync) == syncs + 1);
    CHECK(journal.disk.changes() == changes + 2);
  }

  TEST_CASE("the blocks of one commit get their places") {
    running journal;
    auto one = journal.block(3, "one");
    auto two = journal.block(4, large('2'));
    auto three = journal.block(3, "three");
    journal_block* blocks[] = {&one, &two, &three};
    REQUIRE(journal.log->commit(blocks) == durable);
    const auto file = journal.bytes(1);
    for (const auto* block : blocks) {
      CHECK(block->place.file == 1);
      REQUIRE(block->place.bytes == block->bytes.size());
      CHECK(std::memcmp(file.data() + block->place.offset, block->bytes.data(),
                        block->bytes.size())
            == 0);
    }
    CHECK(one.place.offset == 4096 + frame_head_bytes);
    REQUIRE(journal.scan());
    REQUIRE(journal.seen.size() == 4);
    CHECK(journal.seen[2].place == two.place);
    CHECK(journal.seen[3].place == three.place);
  }

  TEST_CASE("a commit without blocks does nothing") {
    running journal;
    const auto changes = journal.disk.changes();
    CHECK(journal.log->commit({}) == durable);
    CHECK(journal.disk.changes() == changes);
    CHECK(journal.log->durable_frame() == 1);
  }

  TEST_CASE("a frame that does not fit goes into the next file") {
    running journal;
    REQUIRE(journal.commit(large('a')) == durable);
    REQUIRE(journal.commit(large('b')) == durable);
    CHECK(journal.log->current_file() == 2);
    REQUIRE(journal.commit("small") == durable);
    CHECK(journal.log->current_file() == 2);
    journal.check_kept();
  }

  TEST_CASE("a frame of the largest size fits an empty file, with its mark") {
    running journal;
    const auto most = journal.log->frame_bytes_max();
    const auto head = journal.block(1, "").bytes.size() + 4;
    journal.told.pop_back();
    journal.next[1] = 0;
    REQUIRE(journal.commit(std::string(most - head, 'x'), 1) == durable);
    CHECK(journal.log->current_file() == 2);
    REQUIRE(journal.log->mark_idle() == durable);
    CHECK(journal.log->current_file() == 2);
    journal.check_kept();
  }

  TEST_CASE("a spare is taken when the file is full") {
    running journal;
    REQUIRE(journal.log->wants_spare() == 2);
    const auto room = journal.log->room();
    auto spare = journal.log->prepare(2);
    REQUIRE(spare);
    journal.log->take_spare(2, std::move(*spare));
    CHECK(journal.log->wants_spare() == 0);
    CHECK(journal.log->room() == room + journal.log->frame_bytes_max());
    REQUIRE(journal.commit(large('a')) == durable);
    const auto opened = journal.disk.count(disk_call::open);
    REQUIRE(journal.commit(large('b')) == durable);
    CHECK(journal.disk.count(disk_call::open) == opened);
    CHECK(journal.log->current_file() == 2);
    CHECK(journal.log->wants_spare() == 3);
    journal.check_kept();
  }

  TEST_CASE("a prepared file is zeros, durable under its name") {
    running journal;
    REQUIRE(journal.log->prepare(2));
    journal.cut_power(unsynced::dropped);
    CHECK(journal.bytes(2)
          == std::vector<std::byte>(journal.config.file_bytes));
    CHECK(journal.disk.list("journal").value().size() == 2);
  }

  TEST_CASE("a file that exists, or existed, is never prepared again") {
    running journal;
    REQUIRE(journal.log->prepare(3));
    for (const std::uint32_t number : {1u, 2u, 3u})
      CHECK(!journal.log->prepare(number));
    CHECK(journal.disk.list("journal").value().size() == 2);
    journal.disk.remove_raw(journal.path(3)); // File 2 would be missed.
    journal.check_kept();
  }

  TEST_CASE("two that prepare the same file do each other no harm") {
    running journal;
    const auto begun = unfinished_file_path(journal.config, 2);
    auto other = journal.disk.open(begun, open_mode::create);
    REQUIRE(other);
    CHECK(!journal.log->prepare(2));
    REQUIRE(journal.commit(large('a')) == durable);
    CHECK(journal.commit(large('b')) == no_room);
    CHECK(journal.disk.open(begun, open_mode::read));
  }

  TEST_CASE("a spare that comes too late is not used") {
    running journal;
    REQUIRE(journal.commit(large('a')) == durable);
    REQUIRE(journal.commit(large('b')) == durable);
    auto late = journal.disk.open(journal.path(1), open_mode::write);
    journal.log->take_spare(2, std::move(*late));
    journal.log->take_spare(0, nullptr);
    CHECK(journal.log->wants_spare() == 3);
    REQUIRE(journal.commit(large('c')) == durable);
    CHECK(journal.log->current_file() == 3);
    journal.check_kept();
  }

  TEST_CASE("whatever call of preparing fails, nothing is left behind") {
    const auto calls = {disk_call::open, disk_call::write,
                        disk_call::sync, disk_call::rename,
                        disk_call::list, disk_call::sync_directory};
    for (const auto call : calls) {
      running journal;
      journal.disk.fail(call, 1, EIO);
      CHECK(!journal.log->prepare(2));
      CHECK(journal.disk.list("journal").value().size() == 1);
      CHECK(journal.log->prepare(2));
      CHECK(journal.disk.violations().empty());
    }
  }

  TEST_CASE("what preparing could not remove is removed before the next try") {
    for (const auto call : {disk_call::write, disk_call::sync_directory}) {
      for (const std::uint64_t refused : {1u, 2u, 3u}) {
        CAPTURE(refused);
        running journal;
        journal.disk.fail(call, 1, EIO);
        for (auto nth = refused; nth > 0; --nth)
          journal.disk.fail(disk_call::unlink, nth, EIO);
        for (auto n = refused; n > 0; --n) {
          CHECK(!journal.log->prepare(2));
          CHECK(journal.disk.list("journal").value().size() == 2);
        }
        REQUIRE(journal.commit(large('a')) == durable);
        REQUIRE(journal.commit(large('b')) == durable);
        CHECK(journal.log->current_file() == 2);
        // It is not a leftover any more.
        REQUIRE(journal.log->prepare(3));
        CHECK(journal.disk.list("journal").value().size() == 3);
        journal.check_kept();
      }
    }
  }

  TEST_CASE("somebody else may remove what preparing left behind") {
    for (const auto call : {disk_call::write, disk_call::sync_directory}) {
      running journal;
      journal.disk.fail(call, 1, EIO);
      journal.disk.fail(disk_call::unlink, 1, EIO);
      CHECK(!journal.log->prepare(2));
      const auto left = journal.disk.list("journal").value().back();
      REQUIRE(journal.disk.unlink("journal/" + left));
      REQUIRE(journal.commit(large('a')) == durable);
      REQUIRE(journal.commit(large('b')) == durable);
      REQUIRE(journal.log->prepare(3));
      CHECK(journal.disk.list("journal").value().size() == 3);
      journal.check_kept();
    }
  }

  TEST_CASE("a failed write or sync fences the file and goes to a new one") {
    for (const auto call : {disk_call::write, disk_call::sync}) {
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        journal_fixture journal{seed};
        journal.open();
        REQUIRE(journal.commit("first") == durable);
        journal.disk.fail(call, 1, EIO);
        REQUIRE(journal.commit("second") == durable);
        CHECK(journal.log->current_file() == 2);
        CHECK(journal.log->failure().code == errc::io_failed);
        REQUIRE(journal.commit("third") == durable);
        CHECK(journal.log->current_file() == 2);
        CHECK(journal.log->durable_frame() == 3);
        journal.cut_power();
        REQUIRE(journal.scan());
        CHECK(journal.texts() == journal.acknowledged);
        CHECK(journal.disk.violations() == std::vector<std::string>{});
      }
    }
  }

  TEST_CASE("a second failure in a row fails the journal for good") {
    for (const auto call : {disk_call::write, disk_call::sync}) {
      running journal;
      auto spare = journal.log->prepare(2);
      journal.log->take_spare(2, std::move(*spare));
      journal.disk.fail(call, 1, EIO);
      journal.disk.fail(call, 2, EIO);
      CHECK(journal.commit("second") == failed);
      CHECK(journal.log->failure().context.find("Input/output error")
            != std::string::npos);
      const auto changes = journal.disk.changes();
      CHECK(journal.commit("third") == failed);
      CHECK(journal.log->mark_idle() == failed);
      CHECK(journal.log->finish() == failed);
      CHECK(journal.log->wants_spare() == 0);
      CHECK(journal.log->durable_frame() == 1);
      CHECK(journal.disk.changes() == changes);
      CHECK(journal.disk.violations().empty());
    }
  }

  TEST_CASE("failures with a success between them are survived") {
    running journal;
    for (int n = 0; n < 5; ++n) {
      journal.disk.fail(n % 2 == 0 ? disk_call::sync : disk_call::write, 1,
                        EIO);
      REQUIRE(journal.commit("again") == durable);
    }
    CHECK(journal.log->current_file() == 6);
    journal.check_kept();
  }

  TEST_CASE("a file that fails at its first write is passed over") {
    running journal;
    REQUIRE(journal.commit(large('a')) == durable);
    auto spare = journal.log->prepare(2);
    journal.log->take_spare(2, std::move(*spare));
    journal.disk.fail(disk_call::write, 1, EIO);
    REQUIRE(journal.commit(large('b')) == durable);
    CHECK(journal.log->current_file() == 3);
    journal.check_kept();
  }

  TEST_CASE("a file passed over is not named by a frame that had to wait") {
    running journal;
    REQUIRE(journal.commit(large('a')) == durable);
    auto spare = journal.log->prepare(2);
    journal.log->take_spare(2, std::move(*spare));
    journal.disk.fail(disk_call::write, 1, EIO);
    journal.disk.set_capacity(1);
    CHECK(journal.commit(large('b')) == no_room);
    journal.disk.set_capacity(0);
    journal.next[7] -= 1;
    REQUIRE(journal.commit(large('c')) == durable);
    CHECK(journal.log->current_file() == 3);
    journal.check_kept();
    // Once file 1 is removed, nobody expects frames in file 2.
    journal.disk.remove_raw(journal.path(1));
    const auto scanned = journal.scan({2, 2, true});
    REQUIRE_MESSAGE(scanned, scanned.error().context);
    CHECK(scanned->damages.empty());
  }

  TEST_CASE("a full disk refuses a commit, and room lets it through") {
    running journal;
    REQUIRE(journal.commit(large('a')) == durable);
    journal.disk.set_capacity(100u << 10);
    auto kept = journal.block(7, large('b'));
    journal_block* blocks[] = {&kept};
    for (int n = 0; n < 3; ++n) {
      CHECK(journal.log->commit(blocks) == no_room);
      CHECK(journal.log->failure().context.find("No space left on device")
            != std::string::npos);
      CHECK(journal.log->current_file() == 1);
      CHECK(journal.disk.list("journal").value().size() == 1);
    }
    CHECK(kept.place == block_place{});
    journal.disk.set_capacity(0);
    REQUIRE(journal.log->commit(blocks) == durable);
    CHECK(kept.place.file == 2);
    journal.acknowledged.push_back(journal.told.back());
    journal.check_kept();
  }

  TEST_CASE("a full disk does not refuse what still fits the file") {
    running journal;
    REQUIRE(journal.commit(std::string(40'000, 'a')) == durable);
    journal.disk.set_capacity(1);
    CHECK(journal.commit(large('b')) == no_room);
    journal.next[7] -= 1;
    CHECK(journal.commit("small") == durable);
    CHECK(journal.log->current_file() == 1);
    journal.check_kept();
  }

  TEST_CASE("a fence on a full disk waits for room instead of failing") {
    running journal;
    journal.disk.set_capacity(1);
    journal.disk.fail(disk_call::sync, 1, EIO);
    auto kept = journal.block(7, "second");
    journal_block* blocks[] = {&kept};
    CHECK(journal.log->commit(blocks) == no_room);
    CHECK(journal.log->commit(blocks) == no_room);
    journal.disk.set_capacity(0);
    REQUIRE(journal.log->commit(blocks) == durable);
    CHECK(journal.log->current_file() == 2);
    CHECK(journal.log->durable_frame() == 2);
    journal.acknowledged.push_back(journal.told.back());
    journal.check_kept();
  }

  TEST_CASE("an idle mark is written once, and not into an empty journal") {
    journal_fixture journal;
    journal.open();
    CHECK(journal.log->mark_idle() == durable);
    CHECK(journal.disk.list("journal").value().empty());
    REQUIRE(journal.commit("first") == durable);
    CHECK(journal.log->mark_idle() == durable);
    CHECK(journal.log->durable_frame() == 2);
    const auto changes = journal.disk.changes();
    CHECK(journal.log->mark_idle() == durable);
    CHECK(journal.disk.changes() == changes);
    REQUIRE(journal.commit("second") == durable);
    CHECK(journal.log->durable_frame() == 3);
  }

  TEST_CASE("finishing marks the end and gives space back") {
    running journal;
    CHECK(journal.size(1) == journal.config.file_bytes);
    REQUIRE(journal.log->finish() == durable);
    CHECK(journal.size(1) == 2 * 4096);
    journal.cut_power(unsynced::dropped);
    CHECK(journal.size(1) == 2 * 4096);
    const auto scanned = journal.open();
    CHECK(scanned.end.idle);
    CHECK(scanned.end.frame == 2);
    // Opening and closing without a word in between writes no frame.
    REQUIRE(journal.log->finish() == durable);
    CHECK(journal.disk.list("journal").value().size() == 1);
    CHECK(journal.texts() == journal.acknowledged);
  }

  TEST_CASE("finishing on a full disk still gives space back") {
    running journal;
    journal.disk.set_capacity(1);
    REQUIRE(journal.log->finish() == durable);
    CHECK(journal.size(1) == 2 * 4096);
    journal.check_kept();
  }

  TEST_CASE("a finish whose sync fails says so and harms nothing") {
    running journal;
    REQUIRE(journal.log->mark_idle() == durable);
    journal.disk.fail(disk_call::sync, 1, EIO);
    CHECK(journal.log->finish() == failed);
    journal.check_kept();
  }

  TEST_CASE("an opening never writes behind the end of another one") {
    running journal;
    const auto before = journal.bytes(1);
    journal.disk.restart();
    journal.open();
    REQUIRE(journal.commit("second") == durable);
    CHECK(journal.log->current_file() == 2);
    journal.check_kept();
    CHECK(journal.size(1) == 4096);
  }

  TEST_CASE("memory of a huge frame is given back") {
    aligned_buffer buffer;
    const auto bytes = buffer.take(1u << 20);
    CHECK(bytes.size() == 1u << 20);
    CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % 4096 == 0);
    buffer.shrink(1u << 20);
    CHECK(buffer.capacity() == 1u << 20);
    buffer.shrink((1u << 20) - 1);
    CHECK(buffer.capacity() == 0);
  }
}
