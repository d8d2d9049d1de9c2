// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_disk.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

std::unique_ptr<file> open(simulated_disk& disk, const std::string& path,
                           open_mode mode) {
  auto opened = disk.open(path, mode);
  REQUIRE_MESSAGE(opened, path);
  return std::move(*opened);
}

std::string text_of(simulated_disk& disk, const std::string& path) {
  const auto from = open(disk, path, open_mode::read);
  std::vector<std::byte> bytes(from->size().value());
  REQUIRE(from->read(0, bytes).value() == bytes.size());
  return std::string{as_text(bytes)};
}

/// A file whose bytes and name are durable.
void make_file(simulated_disk& disk, const std::string& path,
               const std::string& text) {
  const auto made = open(disk, path, open_mode::create);
  REQUIRE(made->write(0, as_bytes(text)));
  REQUIRE(made->sync());
  REQUIRE(disk.sync_directory("."));
}

void cut_power(simulated_disk& disk, unsynced fate = unsynced::by_chance) {
  disk.crash(fate);
  disk.restart();
}

/// What `run` returns over many seeds.
template <class Run>
auto outcomes(Run run) {
  std::set<decltype(run(std::uint64_t{}))> seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed)
    seen.insert(run(seed));
  return seen;
}

/// 512 times each letter.
std::string sectors(const std::string& letters) {
  std::string text;
  for (char letter : letters)
    text += std::string(simulated_inode::sector_bytes, letter);
  return text;
}

/// One letter for each 512 bytes, '?' where they differ.
std::string letters(const std::string& text) {
  std::string found;
  for (std::size_t at = 0; at < text.size();
       at += simulated_inode::sector_bytes) {
    const auto part = text.substr(at, simulated_inode::sector_bytes);
    const auto whole = part == std::string(part.size(), part[0]);
    found += !whole ? '?' : part[0] == 0 ? '0' : part[0];
  }
  return found;
}

} // namespace

TEST_SUITE("simulated_disk") {
  TEST_CASE("a synced write survives every crash") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", sectors("abc"));
      cut_power(disk);
      return letters(text_of(disk, "a"));
    });
    CHECK(seen == std::set<std::string>{"abc"});
  }

  TEST_CASE("an unsynced write may be kept, dropped or torn at 512 bytes") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", sectors("---"));
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(0, as_bytes(sectors("abc"))));
      cut_power(disk);
      return letters(text_of(disk, "a"));
    });
    CHECK(seen
          == std::set<std::string>{"---", "a--", "-b-", "--c", "ab-", "a-c",
                                   "-bc", "abc"});
  }

  TEST_CASE("an unsynced write that grows a file may leave zeros behind") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", sectors("-"));
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(512, as_bytes(sectors("ab"))));
      cut_power(disk);
      return letters(text_of(disk, "a"));
    });
    CHECK(seen == std::set<std::string>{"-", "-00", "-0b", "-a", "-a0", "-ab"});
  }

  TEST_CASE("unsynced writes reach the medium in any order") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", sectors("--"));
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(0, as_bytes(sectors("a"))));
      REQUIRE(file->write(512, as_bytes(sectors("b"))));
      cut_power(disk);
      return letters(text_of(disk, "a"));
    });
    CHECK(seen == std::set<std::string>{"--", "a-", "-b", "ab"});
  }

  TEST_CASE("writes that share a sector reach the medium as the cache had it") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", "--");
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(0, as_bytes("a")));
      REQUIRE(file->write(1, as_bytes("b")));
      cut_power(disk);
      return text_of(disk, "a");
    });
    CHECK(seen == std::set<std::string>{"--", "a-", "ab"});
  }

  TEST_CASE("an unsynced truncation is kept or dropped") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", "long");
      REQUIRE(open(disk, "a", open_mode::write)->truncate(1));
      CHECK(text_of(disk, "a") == "l");
      cut_power(disk);
      return text_of(disk, "a");
    });
    CHECK(seen == std::set<std::string>{"l", "long"});
  }

  TEST_CASE("files lose what was not synced independently of each other") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", "-");
      make_file(disk, "b", "-");
      REQUIRE(open(disk, "a", open_mode::write)->write(0, as_bytes("a")));
      REQUIRE(open(disk, "b", open_mode::write)->write(0, as_bytes("b")));
      cut_power(disk);
      return text_of(disk, "a") + text_of(disk, "b");
    });
    CHECK(seen == std::set<std::string>{"--", "a-", "-b", "ab"});
  }

  TEST_CASE("a crash that keeps or drops everything does just that") {
    for (auto fate : {unsynced::kept, unsynced::dropped}) {
      simulated_disk disk{1};
      make_file(disk, "a", "-");
      REQUIRE(open(disk, "a", open_mode::write)->write(0, as_bytes("a")));
      REQUIRE(disk.rename("a", "b"));
      cut_power(disk, fate);
      const auto kept = fate == unsynced::kept;
      CHECK(text_of(disk, kept ? "b" : "a") == (kept ? "a" : "-"));
    }
  }

  TEST_CASE("a synced file without a directory sync can be lost") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      const auto file = open(disk, "a", open_mode::create);
      REQUIRE(file->write(0, as_bytes("a")));
      REQUIRE(file->sync());
      cut_power(disk);
      return disk.list(".").value();
    });
    CHECK(seen == std::set<std::vector<std::string>>{{}, {"a"}});
  }

  TEST_CASE("a rename can be lost until its directory is synced") {
    for (bool synced : {false, true}) {
      const auto seen = outcomes([=](std::uint64_t seed) {
        simulated_disk disk{seed};
        make_file(disk, "a", "old");
        make_file(disk, "b", "new");
        REQUIRE(disk.rename("b", "a"));
        if (synced)
          REQUIRE(disk.sync_directory("."));
        cut_power(disk);
        return text_of(disk, "a");
      });
      CHECK(seen.count("new") == 1);
      CHECK(seen.count("old") == (synced ? 0 : 1));
    }
  }

  TEST_CASE("an unlink without a directory sync can come back") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", "a");
      REQUIRE(disk.unlink("a"));
      CHECK(disk.list(".").value().empty());
      cut_power(disk);
      return disk.list(".").value();
    });
    CHECK(seen == std::set<std::vector<std::string>>{{}, {"a"}});
  }

  TEST_CASE("of unsynced directory changes any may be lost") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      open(disk, "a", open_mode::create);
      open(disk, "b", open_mode::create);
      REQUIRE(disk.rename("a", "c"));
      cut_power(disk);
      const auto found = disk.list(".").value();
      return std::accumulate(found.begin(), found.end(), std::string{});
    });
    CHECK(seen == std::set<std::string>{"", "a", "b", "ab", "c", "bc"});
  }

  TEST_CASE("a directory sync covers that directory only") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      REQUIRE(disk.make_directory("d"));
      open(disk, "d/in", open_mode::create);
      open(disk, "out", open_mode::create);
      REQUIRE(disk.sync_directory("d/"));
      cut_power(disk);
      CHECK(disk.list("d").value() == std::vector<std::string>{"in"});
      return disk.list("/").value();
    });
    CHECK(seen == std::set<std::vector<std::string>>{{}, {"out"}});
  }

  TEST_CASE("after a crash old files are dead and the disk is off") {
    simulated_disk disk{1};
    make_file(disk, "a", "a");
    const auto file = open(disk, "a", open_mode::write);
    disk.crash();
    CHECK_FALSE(disk.open("a", open_mode::read));
    CHECK_FALSE(disk.list("."));
    disk.restart();
    std::vector<std::byte> bytes(1);
    CHECK_FALSE(file->size());
    CHECK_FALSE(file->read(0, bytes));
    CHECK_FALSE(file->truncate(0));
    CHECK_FALSE(file->sync());
    const auto outcome = file->write(0, as_bytes("b"));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == errc::io_failed);
    CHECK(text_of(disk, "a") == "a");
    CHECK(disk.violations().empty());
  }

  TEST_CASE("a killed process loses nothing that it wrote") {
    simulated_disk disk{1};
    const auto file = open(disk, "a", open_mode::create);
    REQUIRE(file->write(0, as_bytes("unsynced")));
    disk.restart();
    CHECK_FALSE(file->sync());
    CHECK(text_of(disk, "a") == "unsynced");
  }

  TEST_CASE("from the planned crash on every call fails") {
    simulated_disk disk{1};
    make_file(disk, "a", "a");
    const auto file = open(disk, "a", open_mode::write);
    const auto before = disk.changes();
    disk.crash_at(2);
    std::vector<std::byte> bytes(1);
    CHECK(file->write(0, as_bytes("b")));
    CHECK(file->read(0, bytes)); // Not a changing call.
    CHECK_FALSE(file->sync());
    CHECK_FALSE(file->read(0, bytes));
    CHECK_FALSE(disk.open("a", open_mode::read));
    CHECK_FALSE(disk.unlink("a"));
    CHECK(disk.changes() == before + 2);
    cut_power(disk);
    CHECK(disk.open("a", open_mode::read));
    CHECK(disk.violations().empty());
  }

  TEST_CASE("the call in which the process dies may have an effect") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", "-");
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(0, as_bytes("a")));
      disk.crash_at(1);
      CHECK_FALSE(file->sync());
      cut_power(disk, unsynced::dropped);
      return text_of(disk, "a");
    });
    CHECK(seen == std::set<std::string>{"-", "a"});
  }

  TEST_CASE("whether the call in which the process dies counts can be said") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed)
      for (const auto last : {last_call::undone, last_call::done}) {
        simulated_disk disk{seed};
        make_file(disk, "a", "-");
        const auto file = open(disk, "a", open_mode::write);
        disk.crash_at(1, last);
        CHECK_FALSE(file->write(0, as_bytes("a")));
        disk.restart();
        CHECK(text_of(disk, "a") == (last == last_call::done ? "a" : "-"));
      }
  }

  TEST_CASE("the n-th changing call fails, of whatever kind, once") {
    simulated_disk disk{1};
    make_file(disk, "a", "a");
    disk.fail_change(2, EIO);
    CHECK(disk.open("a", open_mode::read)); // Not a changing call.
    CHECK(disk.rename("a", "b"));
    CHECK(disk.unlink("b").error().code == errc::io_failed);
    CHECK(disk.unlink("b"));
    disk.fail_change(1, EIO);
    disk.heal();
    CHECK(disk.sync_directory("."));
  }

  TEST_CASE("the write in which the process dies may be short") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      const auto file = open(disk, "a", open_mode::create);
      disk.crash_at(1);
      CHECK_FALSE(file->write(0, as_bytes("abc")));
      disk.restart();
      return text_of(disk, "a");
    });
    CHECK(seen == std::set<std::string>{"", "a", "ab", "abc"});
  }

  TEST_CASE("the n-th call of a kind fails with its name, once") {
    simulated_disk disk{1};
    const auto file = open(disk, "a", open_mode::create);
    disk.fail(disk_call::sync, 2, EIO);
    CHECK(file->sync());
    const auto outcome = file->sync();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == errc::io_failed);
    CHECK(outcome.error().context == "fdatasync 'a': Input/output error");
    CHECK(open(disk, "a", open_mode::write)->sync());
  }

  TEST_CASE("every kind of call can fail for good, until the disk is healed") {
    simulated_disk disk{1};
    make_file(disk, "a", "a");
    const auto file = open(disk, "a", open_mode::write);
    for (auto call : {disk_call::open, disk_call::write, disk_call::sync,
                      disk_call::read, disk_call::truncate, disk_call::rename,
                      disk_call::unlink, disk_call::sync_directory,
                      disk_call::make_directory, disk_call::list})
      disk.fail(call, 1, EIO, true);
    std::vector<std::byte> bytes(1);
    for (int again = 0; again < 2; ++again) {
      CHECK_FALSE(disk.open("a", open_mode::read));
      CHECK_FALSE(file->write(0, as_bytes("b")));
      CHECK_FALSE(file->sync());
      CHECK_FALSE(file->read(0, bytes));
      CHECK_FALSE(file->truncate(0));
      CHECK_FALSE(disk.rename("a", "b"));
      CHECK_FALSE(disk.unlink("a"));
      CHECK_FALSE(disk.sync_directory("."));
      CHECK_FALSE(disk.make_directory("d"));
      CHECK_FALSE(disk.list("."));
    }
    disk.heal();
    CHECK(disk.list(".").value() == std::vector<std::string>{"a"});
    CHECK(file->read(0, bytes));
  }

  TEST_CASE("a failing write has written a part") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      const auto file = open(disk, "a", open_mode::create);
      disk.fail(disk_call::write, 1, EIO);
      CHECK_FALSE(file->write(0, as_bytes("abc")));
      return text_of(disk, "a");
    });
    CHECK(seen == std::set<std::string>{"", "a", "ab", "abc"});
  }

  TEST_CASE("what a failed sync lost is seen until the crash, then gone") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", "-");
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(0, as_bytes("a")));
      disk.fail(disk_call::sync, 1, EIO);
      CHECK_FALSE(file->sync());
      CHECK(file->sync()); // The lie.
      CHECK(text_of(disk, "a") == "a");
      CHECK(disk.violations()
            == std::vector<std::string>{"sync after failed sync: 'a'"});
      cut_power(disk, unsynced::kept);
      return text_of(disk, "a");
    });
    CHECK(seen == std::set<std::string>{"-", "a"});
  }

  TEST_CASE("writes and syncs after a failed one are violations") {
    simulated_disk disk{1};
    const auto file = open(disk, "a", open_mode::create);
    disk.fail(disk_call::write, 1, ENOSPC);
    CHECK_FALSE(file->write(0, as_bytes("a")));
    CHECK(disk.violations().empty());
    CHECK(file->write(0, as_bytes("a")));
    CHECK(file->sync());
    CHECK(disk.violations()
          == std::vector<std::string>{"write after failed write: 'a'",
                                      "sync after failed write: 'a'"});
  }

  TEST_CASE("a new process that trusts what a failed sync lost is caught") {
    // Until the power fails the cache shows bytes that the medium lacks; to
    // sync them achieves nothing, to write them again does.
    for (bool rewrites : {false, true}) {
      simulated_disk disk{3};
      make_file(disk, "a", "-");
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(0, as_bytes("a")));
      disk.fail(disk_call::sync, 1, EIO);
      CHECK_FALSE(file->sync());
      disk.restart();
      const auto again = open(disk, "a", open_mode::write);
      if (rewrites)
        REQUIRE(again->write(0, as_bytes("a")));
      CHECK(again->sync());
      CHECK(disk.violations().empty() == rewrites);
      cut_power(disk);
      CHECK(text_of(disk, "a") == (rewrites ? "a" : "-"));
    }
  }

  TEST_CASE("a failed directory sync must not just be repeated") {
    const auto seen = outcomes([](std::uint64_t seed) {
      simulated_disk disk{seed};
      open(disk, "a", open_mode::create);
      disk.fail(disk_call::sync_directory, 1, EIO);
      CHECK_FALSE(disk.sync_directory("."));
      CHECK(disk.sync_directory("."));
      CHECK(disk.violations()
            == std::vector<std::string>{
              "sync_directory after failed sync_directory: '.'"});
      open(disk, "b", open_mode::create);
      CHECK(disk.sync_directory("."));
      CHECK(disk.violations().size() == 1);
      cut_power(disk);
      return disk.list(".").value();
    });
    CHECK(seen == std::set<std::vector<std::string>>{{"a", "b"}, {"b"}});
  }

  TEST_CASE("a full disk takes what fits, then says so") {
    simulated_disk disk{1};
    disk.set_capacity(10);
    make_file(disk, "a", "123456");
    const auto file = open(disk, "b", open_mode::create);
    const auto outcome = file->write(0, as_bytes("abcdef"));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().context == "pwrite 'b': No space left on device");
    CHECK(text_of(disk, "b") == "abcd");
    CHECK(open(disk, "a", open_mode::write)->write(0, as_bytes("654321")));
  }

  TEST_CASE("an unlinked file takes room until it is closed") {
    simulated_disk disk{1};
    disk.set_capacity(4);
    auto held = open(disk, "a", open_mode::create);
    REQUIRE(held->write(0, as_bytes("1234")));
    REQUIRE(disk.unlink("a"));
    CHECK_FALSE(open(disk, "b", open_mode::create)->write(0, as_bytes("1")));
    held.reset();
    CHECK(open(disk, "c", open_mode::create)->write(0, as_bytes("1234")));
  }

  TEST_CASE("damage is seen at once and after a crash") {
    simulated_disk disk{1};
    for (auto name : {"flipped", "cut", "removed"})
      make_file(disk, name, "abc");
    disk.flip_bit("flipped", 1, 0);
    disk.truncate_raw("cut", 2);
    disk.remove_raw("removed");
    for (int crashes = 0; crashes < 2; ++crashes) {
      CHECK(text_of(disk, "flipped") == "acc");
      CHECK(text_of(disk, "cut") == "ab");
      CHECK(disk.list(".").value()
            == std::vector<std::string>{"cut", "flipped"});
      cut_power(disk);
    }
  }

  TEST_CASE("names are refused as a file system refuses them") {
    simulated_disk disk{1};
    make_file(disk, "a", "a");
    CHECK(disk.open("b", open_mode::read).error().context
          == "open 'b': No such file or directory");
    CHECK(disk.open("a", open_mode::create).error().context
          == "open 'a': File exists");
    CHECK(disk.open("no/a", open_mode::create).error().context
          == "open 'no/a': No such file or directory");
    CHECK(disk.rename("b", "c").error().context
          == "rename 'b' to 'c': No such file or directory");
    CHECK_FALSE(disk.unlink("b"));
    CHECK_FALSE(disk.list("no"));
    CHECK_FALSE(disk.sync_directory("no"));
    CHECK_FALSE(disk.make_directory("no/d"));
    CHECK_FALSE(disk.make_directory("a"));
    CHECK_FALSE(open(disk, "a", open_mode::read)->write(0, as_bytes("x")));
    REQUIRE(disk.make_directory("/d"));
    CHECK(disk.make_directory("./d/"));
    CHECK_FALSE(disk.rename("a", "d/a"));
  }

  TEST_CASE("a lie shows when the power fails, not before") {
    const auto run = [](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", sectors("--------"));
      disk.lie(100);
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(0, as_bytes(sectors("abcdefgh"))));
      REQUIRE(file->sync());
      REQUIRE(disk.rename("a", "b"));
      REQUIRE(disk.sync_directory("."));
      CHECK(letters(text_of(disk, "b")) == "abcdefgh");
      CHECK(disk.happened().any());
      disk.restart(); // The kernel still has it all.
      CHECK(letters(text_of(disk, "b")) == "abcdefgh");
      cut_power(disk);
      CHECK(disk.violations().empty());
      const auto name = disk.list(".").value().at(0);
      return name + letters(text_of(disk, name));
    };
    const auto seen = outcomes(run);
    CHECK(seen.contains("a--------"));
    CHECK(seen.contains("babcdefgh"));
    CHECK(seen.size() > 10);
  }

  TEST_CASE("a healed disk lies no more") {
    simulated_disk disk{1};
    disk.lie(100);
    disk.heal();
    make_file(disk, "a", "a");
    cut_power(disk, unsynced::dropped);
    CHECK(text_of(disk, "a") == "a");
  }

  TEST_CASE("calls are counted by kind, and traced on demand") {
    simulated_disk disk{1};
    make_file(disk, "a", "a");
    disk.trace();
    CHECK(open(disk, "a", open_mode::write)->write(4, as_bytes("xy")));
    CHECK_FALSE(disk.unlink("b"));
    CHECK(disk.count(disk_call::write) == 2);
    CHECK(disk.count(disk_call::sync) == 1);
    CHECK(disk.count(disk_call::open) == 2);
    CHECK(disk.calls()
          == std::vector<std::string>{
            "open 'a' 0+0: ok", "pwrite 'a' 4+2: ok",
            "unlink 'b' 0+0: unlink 'b': No such file or directory"});
  }

  TEST_CASE("threads may use one disk at the same time") {
    simulated_disk disk{1};
    std::vector<std::thread> threads;
    for (std::string name : {"a", "b", "c", "d"})
      threads.emplace_back([&disk, name] {
        auto file = disk.open(name, open_mode::create).value();
        for (std::uint64_t n = 0; n < 100; ++n)
          CHECK(file->write(n, as_bytes(name)));
        CHECK(file->sync());
      });
    for (auto& thread : threads)
      thread.join();
    REQUIRE(disk.sync_directory("."));
    cut_power(disk);
    for (char name : {'a', 'b', 'c', 'd'})
      CHECK(text_of(disk, {name}) == std::string(100, name));
    CHECK(disk.count(disk_call::write) == 400);
  }

  TEST_CASE("the same seed and the same calls give the same outcome") {
    const auto run = [](std::uint64_t seed) {
      simulated_disk disk{seed};
      make_file(disk, "a", sectors("----------------"));
      const auto file = open(disk, "a", open_mode::write);
      REQUIRE(file->write(0, as_bytes(sectors("abcdefghijklmnop"))));
      REQUIRE(disk.rename("a", "b"));
      cut_power(disk);
      const auto name = disk.list(".").value().at(0);
      return name + letters(text_of(disk, name));
    };
    for (std::uint64_t seed = 0; seed < 50; ++seed)
      CHECK(run(seed) == run(seed));
    CHECK(outcomes(run).size() > 10);
  }
}
