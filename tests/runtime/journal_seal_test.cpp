// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal_seal.hpp"

#include "runtime/segment_files.hpp"
#include "runtime/segment_scan.hpp"
#include "tests/support/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr auto durable = commit_outcome::durable;
using texts_type = std::vector<std::string>;

/// A payload that fills most of a file.
std::string large(char letter) {
  return std::string(50'000, letter);
}

/// Journal files that become segment 1.
struct sealing : journal_fixture {
  sealing() {
    REQUIRE(disk.make_directory("segments"));
    open();
  }

  /// One file of one frame for each letter, from the first one on.
  void files(std::string_view letters) {
    for (const auto letter : letters)
      REQUIRE(commit(large(letter)) == durable);
  }

  result<segment_summary> seal(const seal_range& range) {
    segment_config wanted;
    wanted.store = config.store;
    wanted.number = 1;
    wanted.journal_first = range.first;
    wanted.journal_last = range.last;
    return seal_journal(disk, config, range, "segments", wanted);
  }

  /// "stream/sequence: first letter" of all sealed entries.
  texts_type sealed() {
    texts_type all;
    const auto from = segment::open(disk, "segments/" + segment_file_name(1),
                                    config.store);
    REQUIRE_MESSAGE(from, from.error().context);
    segment_block_scan scan{*from};
    for (;;) {
      const auto block = scan.next();
      REQUIRE(block);
      if (!*block)
        return all;
      entry_cursor entries{**block};
      while (const auto entry = entries.next())
        all.push_back(std::to_string(raw((*block)->stream)) + "/"
                      + std::to_string(raw(entry->seq)) + ": "
                      + std::string{as_text(entry->payload).substr(0, 1)});
    }
  }

  texts_type names(const std::string& directory) {
    return disk.list(directory).value();
  }

  /// It is refused as damage, and nothing was made or removed.
  void check_refused(const seal_range& range) {
    const auto before = names("journal");
    const auto done = seal(range);
    REQUIRE_FALSE(done);
    CHECK_MESSAGE(done.error().code == errc::corrupt, done.error().context);
    CHECK(names("segments") == texts_type{});
    CHECK(names("journal") == before);
  }
};

} // namespace

TEST_SUITE("journal_seal") {
  TEST_CASE_FIXTURE(sealing, "a segment has the entries of its files, sorted") {
    for (const auto stream : {9u, 7u, 9u, 8u, 7u})
      REQUIRE(commit("a", stream) == durable);
    files("bc"); // Stream 7, in the files 2 and 3.
    const auto done = seal({1, 2, 1, 7});
    REQUIRE_MESSAGE(done, done.error().context);
    CHECK(done->entries == 6);
    CHECK(sealed()
          == texts_type{"7/0: a", "7/1: a", "7/2: b", "8/0: a", "9/0: a",
                        "9/1: a"});
  }

  TEST_CASE_FIXTURE(sealing, "a seal survives a power cut, its name too") {
    files("abc");
    REQUIRE(seal({1, 2, 1, 3}));
    cut_power(unsynced::dropped);
    CHECK(sealed() == texts_type{"7/0: a", "7/1: b"});
  }

  TEST_CASE_FIXTURE(sealing, "a stream that ends in the files is left out") {
    REQUIRE(commit("a", 7) == durable);
    REQUIRE(commit("a", 8) == durable);
    block_builder builder;
    builder.start(stream_id{7}, sequence{1});
    builder.remove();
    journal_block last{builder.finish(), {}};
    journal_block* blocks[] = {&last};
    REQUIRE(log->commit(blocks) == durable);
    REQUIRE(seal({1, 1, 1, 4}));
    CHECK(sealed() == texts_type{"8/0: a"});
  }

  // -- refusals --------------------------------------------------------------

  TEST_CASE_FIXTURE(sealing, "a missing file refuses") {
    files("abcd");
    for (const auto number : {1u, 2u, 3u}) {
      CAPTURE(number);
      const auto lost = bytes(number);
      disk.remove_raw(path(number));
      check_refused({1, 3, 1, 4});
      REQUIRE(disk.open(path(number), open_mode::create));
      put(number, 0, lost);
    }
    CHECK(seal({1, 3, 1, 4}));
  }

  TEST_CASE_FIXTURE(sealing, "a frame that is not there refuses") {
    files("abc");
    check_refused({1, 2, 1, 4}); // Frame 3 lies in file 3.
    check_refused({2, 2, 1, 3}); // Frame 1 lies in file 1.
    CHECK(seal({2, 2, 2, 3}));
  }

  TEST_CASE_FIXTURE(sealing, "a damaged frame refuses") {
    for (int i = 0; i < 3; ++i)
      REQUIRE(commit("small") == durable);
    files("abc");
    const seal_range range{1, 3, 1, 6};
    // Headers and blocks of the first, a middle and the last one.
    for (const std::uint64_t offset : {8u, 100u, 4096u + 8u, 4096u + 100u})
      for (const auto number : {1u, 2u, 3u}) {
        CAPTURE(offset);
        CAPTURE(number);
        disk.flip_bit(path(number), offset, 3);
        check_refused(range);
        disk.flip_bit(path(number), offset, 3);
      }
    CHECK(seal(range));
  }

  TEST_CASE_FIXTURE(sealing, "a sound frame with an unsound block refuses") {
    REQUIRE(commit("a") == durable);
    const std::string nonsense(100, 'n');
    journal_block bad{as_bytes(nonsense), {}};
    journal_block* blocks[] = {&bad};
    REQUIRE(log->commit(blocks) == durable);
    check_refused({1, 1, 1, 3});
    CHECK(seal({1, 1, 1, 2}));
  }

  TEST_CASE_FIXTURE(sealing, "a disk that fails leaves no segment behind") {
    files("abc");
    for (const auto call :
         {disk_call::open, disk_call::write, disk_call::sync, disk_call::read,
          disk_call::list, disk_call::sync_directory}) {
      CAPTURE(static_cast<int>(call));
      disk.fail(call, 1, EIO);
      const auto done = seal({1, 2, 1, 3});
      REQUIRE_FALSE(done);
      CHECK(done.error().code == errc::io_failed);
      CHECK(names("segments") == texts_type{});
      disk.heal();
    }
    CHECK(seal({1, 2, 1, 3}));
  }

  TEST_CASE_FIXTURE(sealing, "a segment that is there already is left alone") {
    files("abc");
    REQUIRE(seal({1, 1, 1, 2}));
    const auto before = sealed();
    const auto again = seal({2, 2, 2, 3});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == errc::io_failed);
    CHECK(sealed() == before);
  }

  // -- files without all of their frames -------------------------------------

  TEST_CASE_FIXTURE(sealing, "a file that was fenced without a frame counts") {
    files("a");
    log->take_spare(2, log->prepare(2).value());
    disk.fail(disk_call::write, 1, EIO);
    files("bc"); // In the files 3 and 4.
    REQUIRE(seal({1, 3, 1, 3}));
    CHECK(sealed() == texts_type{"7/0: a", "7/1: b"});
  }

  TEST_CASE("a fenced frame that was written again is sealed once") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      sealing each;
      REQUIRE(each.commit("a") == durable);
      each.disk.fail(disk_call::sync, 1, EIO);
      REQUIRE(each.commit("b") == durable); // In file 1 in vain, in file 2.
      REQUIRE(each.commit("c") == durable);
      REQUIRE(each.seal({1, 2, 1, 4}));
      CHECK(each.sealed() == texts_type{"7/0: a", "7/1: b", "7/2: c"});
    }
  }

  TEST_CASE_FIXTURE(sealing, "a file that was prepared and not used is passed "
                             "over") {
    files("ab");
    REQUIRE(log->prepare(3));
    REQUIRE(seal({1, 3, 1, 3}));
    CHECK(sealed() == texts_type{"7/0: a", "7/1: b"});
  }

  // -- remove_sealed ---------------------------------------------------------

  TEST_CASE_FIXTURE(sealing, "sealed files go, the newest one never") {
    files("abcd");
    REQUIRE(remove_sealed(disk, config, 3, 4));
    CHECK(names("journal")
          == texts_type{journal_file_name(3), journal_file_name(4)});
    REQUIRE(remove_sealed(disk, config, 9, 4));
    CHECK(names("journal") == texts_type{journal_file_name(4)});
  }

  TEST_CASE("files that are removed leave no gap, whenever the power fails") {
    for (std::uint64_t n = 1; n <= 6; ++n)
      for (const auto fate : {unsynced::dropped, unsynced::kept}) {
        sealing each;
        each.files("abcd");
        each.disk.crash_at(n);
        CHECK_FALSE(remove_sealed(each.disk, each.config, 4, 4));
        each.cut_power(fate);
        const auto left = each.names("journal");
        CHECK(left.size() >= 1);
        for (std::size_t i = 0; i < left.size(); ++i)
          CHECK(left[i]
                == journal_file_name(
                  static_cast<std::uint32_t>(5 - left.size() + i)));
      }
  }

  TEST_CASE_FIXTURE(sealing, "a file that cannot be removed keeps later ones") {
    files("abcd");
    disk.fail(disk_call::unlink, 2, EIO);
    CHECK(remove_sealed(disk, config, 4, 4).error().code == errc::io_failed);
    CHECK(names("journal").size() == 3);
    REQUIRE(remove_sealed(disk, config, 4, 4));
    CHECK(names("journal").size() == 1);
  }
}
