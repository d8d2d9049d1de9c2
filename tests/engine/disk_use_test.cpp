// SPDX-License-Identifier: Apache-2.0
// How much of the disk is kept for what was deleted.
#include "tests/engine/scripted_store.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace torpor;
using namespace torpor::test;

namespace {

/// A store whose fast streams lose all they had, while a slow one keeps some
/// entries in every journal file.
struct slow_and_fast : scripted_store {
  slow_and_fast() { must_open(); }

  /// About one journal file: entries of the slow stream and of fast ones.
  void one_file(std::size_t slow_entries, std::size_t slow_bytes) {
    REQUIRE(append("slow", slow_bytes, slow_entries));
    for (const auto* name : {"fast/0", "fast/1"})
      for (int i = 0; i < 3; ++i)
        REQUIRE(append(name, 7000));
  }

  void delete_fast() {
    for (const auto* name : {"fast/0", "fast/1"})
      REQUIRE(truncate(name, next(name)));
  }

  /// Time passes and nobody writes.
  void rest() {
    for (int i = 0; i < 10; ++i) {
      run();
      advance(1000);
    }
  }

  void check_bound() {
    rest();
    const auto most = 2 * bytes_alive() + 4 * config.journal.file_bytes;
    INFO(state().segments.size(), " segments, alive ", bytes_alive());
    CHECK(bytes_on_disk() <= most);
    CHECK(check_entries() == "");
  }
};

/// Whatever place in the rhythm of merges the work ends at.
void check_after_each(const std::function<void(slow_and_fast&)>& file,
                      const std::function<void(slow_and_fast&)>& end) {
  for (int files = 57; files < 65; ++files) {
    CAPTURE(files);
    slow_and_fast store;
    for (int i = 0; i < files; ++i)
      file(store);
    end(store);
    store.check_bound();
  }
}

void nothing_more(slow_and_fast&) {}

} // namespace

TEST_SUITE("disk_use") {
  TEST_CASE("an old entry in every file does not keep the files") {
    check_after_each(
      [](auto& store) {
        store.one_file(1, 100);
        store.delete_fast();
      },
      nothing_more);
  }

  TEST_CASE("many small entries do not keep a few large ones") {
    check_after_each(
      [](auto& store) {
        store.one_file(40, 20);
        store.delete_fast();
      },
      nothing_more);
  }

  TEST_CASE("what is deleted at last is gone with the next file") {
    check_after_each([](auto& store) { store.one_file(1, 100); },
                     [](auto& store) {
                       store.delete_fast();
                       store.one_file(1, 100);
                       store.delete_fast();
                       store.one_file(1, 100);
                       store.delete_fast();
                     });
  }

  TEST_CASE("few large entries that are deleted late go, too") {
    check_after_each([](auto& store) { store.one_file(400, 10); },
                     [](auto& store) {
                       store.delete_fast();
                       for (int i = 0; i < 6; ++i) {
                         store.one_file(400, 10);
                         store.delete_fast();
                       }
                     });
  }

  TEST_CASE("what is deleted at last is gone without another append") {
    check_after_each([](auto& store) { store.one_file(1, 100); },
                     [](auto& store) { store.delete_fast(); });
  }

  TEST_CASE("a stream that is removed leaves nothing") {
    check_after_each(
      [](auto& store) {
        store.one_file(1, 100);
        REQUIRE(store.remove("fast/0"));
        REQUIRE(store.remove("fast/1"));
      },
      nothing_more);
  }
}
