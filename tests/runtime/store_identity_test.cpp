// SPDX-License-Identifier: Apache-2.0
#include "runtime/store_identity.hpp"

#include "tests/support/simulated_disk.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

struct store_directory {
  store_directory() { REQUIRE(disk.make_directory("store")); }

  result<store_id> make() { return make_identity(disk, "store", path); }
  result<store_id> read() { return read_identity(disk, path); }

  result<store_id> read_text(const std::string& text) {
    static_cast<void>(disk.unlink(path));
    const auto made = disk.open(path, open_mode::create);
    REQUIRE(made);
    REQUIRE((*made)->write(0, as_bytes(text)));
    return read();
  }

  simulated_disk disk{1};
  const std::string path = "store/torpor.store";
};

const std::string sound
  = "torpor store\nformat 1\nid 00112233445566778899aabbccddeeff\n";

} // namespace

TEST_SUITE("store_identity") {
  TEST_CASE_FIXTURE(store_directory, "an identity is read as it was made") {
    const auto made = make();
    REQUIRE(made);
    CHECK(read().value() == *made);
    CHECK(disk.list("store").value()
          == std::vector<std::string>{"torpor.store"});
  }

  TEST_CASE_FIXTURE(store_directory, "no two stores have the same identity") {
    const auto one = make();
    REQUIRE(disk.unlink(path));
    CHECK(make().value() != one.value());
  }

  TEST_CASE_FIXTURE(store_directory, "an identity survives a power cut") {
    const auto made = make();
    REQUIRE(made);
    disk.crash(unsynced::by_chance);
    disk.restart();
    CHECK(read().value() == *made);
  }

  TEST_CASE("an identity is made wholly or not at all, whenever power fails") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
      for (std::uint64_t nth = 1;; ++nth) {
        simulated_disk disk{seed};
        REQUIRE(disk.make_directory("store"));
        disk.crash_at(nth);
        const auto made = make_identity(disk, "store", "store/torpor.store");
        disk.heal();
        disk.crash(unsynced::by_chance);
        disk.restart();
        const auto names = disk.list("store").value();
        const auto there = std::find(names.begin(), names.end(),
                                     "torpor.store")
                           != names.end();
        if (there)
          REQUIRE(read_identity(disk, "store/torpor.store"));
        REQUIRE((there || !made));
        // What is left over is no obstacle.
        REQUIRE((there || make_identity(disk, "store", "store/torpor.store")));
        if (made)
          break;
      }
  }

  TEST_CASE_FIXTURE(store_directory, "a disk that fails makes no identity") {
    for (const auto call : {disk_call::write, disk_call::sync,
                            disk_call::rename, disk_call::sync_directory}) {
      disk.heal();
      disk.fail(call, 1, EIO);
      const auto made = make();
      REQUIRE_FALSE(made);
      CHECK(made.error().code == errc::io_failed);
    }
  }

  TEST_CASE_FIXTURE(store_directory, "the text of an identity is documented") {
    const auto id = read_text(sound);
    REQUIRE(id);
    CHECK((*id)[0] == std::byte{0x00});
    CHECK((*id)[1] == std::byte{0x11});
    CHECK((*id)[15] == std::byte{0xff});
  }

  TEST_CASE_FIXTURE(store_directory,
                    "a newer format is refused by its number") {
    auto newer = sound;
    newer.replace(newer.find("format 1"), 8, "format 2");
    const auto refused = read_text(newer);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::incompatible);
    CHECK(refused.error().context.find("format 2") != std::string::npos);
    // Whatever follows: only the newer version knows.
    CHECK(read_text("torpor store\nformat 17\nkey x\n").error().code
          == errc::incompatible);
  }

  TEST_CASE_FIXTURE(store_directory, "garbage is no identity") {
    for (const std::string text :
         {"", "\n", "hello", "torpor store", "torpor store\nformat ",
          "torpor store\nformat x\n", "torpor store\nformat -1\n",
          "torpor store\nformat 1", "torpor store\nformat 1\nid ",
          "torpor store\nformat 1\nid 0011\n",
          "torpor store\nformat 1\nid zz112233445566778899aabbccddeeff\n",
          "torpor store\nformat 1\nid 0011223344556677-899aabbccddeef\n",
          "torpor store\nformat 1 id 00112233445566778899aabbccddeeff\n"}) {
      CAPTURE(text);
      const auto refused = read_text(text);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == errc::corrupt);
      CHECK(refused.error().context.find(path) != std::string::npos);
    }
    CHECK(read_text(std::string(1u << 20, '\0')).error().code
          == errc::corrupt);
  }

  TEST_CASE_FIXTURE(store_directory,
                    "a truncated identity is never another one") {
    for (std::size_t bytes = 0; bytes < sound.size() - 1; ++bytes)
      CHECK_FALSE(read_text(sound.substr(0, bytes)));
  }

  TEST_CASE_FIXTURE(store_directory, "a missing identity is an error") {
    CHECK(read().error().code == errc::io_failed);
  }
}
