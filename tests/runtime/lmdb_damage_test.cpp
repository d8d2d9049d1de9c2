// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_databases.hpp"
#include "tests/support/lmdb_fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

// What becomes of a catalog on disk whose file was damaged.

using namespace torpor;
using namespace torpor::test;

namespace {

namespace fs = std::filesystem;

/// Where a key of `names` begins in the file, in pages that are used and in older
/// ones. LMDB's node: two halves of the value's size, flags, the key's size, each
/// 2 bytes, and then the key.
std::vector<std::size_t> places_of(const std::string& file,
                                   const std::string& key) {
  std::vector<std::size_t> found;
  for (auto at = file.find(key); at != file.npos; at = file.find(key, at + 1))
    if (at > 8 && static_cast<std::size_t>(file[at - 2]) == key.size()
        && file[at - 1] == 0)
      found.push_back(at);
  REQUIRE_FALSE(found.empty());
  return found;
}

} // namespace

TEST_CASE("a file of garbage, an empty and a short one are corrupt") {
  for (const std::size_t bytes : {0, 10, 5'000, 100'000})
    for (const auto how : {catalog_access::create, catalog_access::read}) {
      CAPTURE(bytes);
      const catalog_place at;
      fs::create_directory(at.catalog());
      spill(at.data(), std::string(bytes, 'x'));
      CHECK(refused(at, how).code == errc::corrupt);
      CHECK(slurp(at.data()) == std::string(bytes, 'x'));
    }
}

TEST_CASE("a file that was cut off is corrupt, wherever, and stays as it is") {
  const catalog_place at;
  {
    auto changes = large(1, 300);
    REQUIRE(reopen(at)->update(changes, std::nullopt));
  }
  auto bytes = slurp(at.data());
  const auto last = bytes.find_last_not_of('\0') / 4096;
  for (std::size_t pages = 1; pages <= last; ++pages)
    for (const auto how : {catalog_access::read, catalog_access::write}) {
      CAPTURE(pages);
      const auto cut = bytes.substr(0, pages * 4096);
      spill(at.data(), cut);
      CHECK(refused(at, how).code == errc::corrupt);
      CHECK(slurp(at.data()) == cut);
    }
}

TEST_CASE("a file that ends early is sound when LMDB never wrote the rest") {
  const catalog_place at;
  for (int i = 0; i < 4; ++i) // Leaves free pages, for the list of free pages.
    create(at, "a");
  { // An update that takes pages and gives them back.
    const auto databases = lmdb_databases::open(at.catalog(),
                                                lmdb_access::write);
    lmdb_transaction transaction{databases->environment};
    REQUIRE(transaction.begin_write());
    const auto key = as_bytes("passing");
    const std::string value(8u << 20, 'x');
    REQUIRE(transaction.put(databases->meta, key, as_bytes(value)));
    REQUIRE(transaction.remove(databases->meta, key));
    REQUIRE(transaction.commit());
  }
  const auto written = fs::file_size(at.data());
  REQUIRE(written < 8u << 20); // The pages count, and are not there.
  CHECK(reopen(at, catalog_access::read)->verify());
  const auto store = reopen(at, catalog_access::write);
  CHECK(store->verify());
  CHECK(*store->reader()->find("a") == make_id(1));
  auto changes = large(2, 10'000);
  CHECK(store->update(changes, std::nullopt));
  CHECK(store->verify());
  CHECK(fs::file_size(at.data()) > written);
}

TEST_CASE("a record with a flipped bit is corrupt and named") {
  const catalog_place at;
  create(at, "tenant/stream");
  auto bytes = slurp(at.data());
  std::size_t hits = 0;
  // Its name stands in its record and, as a key, in `names`.
  for (auto at_byte = bytes.find("tenant/stream"); at_byte != std::string::npos;
       at_byte = bytes.find("tenant/stream", at_byte)) {
    bytes[at_byte + 3] ^= 1;
    ++hits;
  }
  REQUIRE(hits >= 2);
  spill(at.data(), bytes);
  const auto store = reopen(at);
  const auto reader = store->reader();
  const auto record = reader->find(make_id(1));
  REQUIRE_FALSE(record);
  CHECK(record.error().code == errc::corrupt);
  CHECK(record.error().context.find("stream 256") != std::string::npos);
  const auto page = reader->list("", "", 10, 0, 1);
  REQUIRE_FALSE(page);
  CHECK(page.error().code == errc::corrupt);
  SUBCASE("until it is replaced") {
    update(*store, put(1, "tenant/stream", 5));
    CHECK((*reader->find(make_id(1)))->next == sequence{5});
  }
  SUBCASE("until it is removed") {
    update(*store, {make_id(1), std::nullopt});
    CHECK_FALSE(*reader->find(make_id(1)));
    CHECK(*store->count() == 0);
  }
}

TEST_CASE("a value as large as nothing can be is corrupt and ends no process") {
  const catalog_place at;
  create(at, "tenant/stream");
  auto bytes = slurp(at.data());
  for (const auto key : places_of(bytes, "tenant/stream"))
    bytes.replace(key - 6, 2, "\xff\x7f");
  spill(at.data(), bytes);
  for (const auto how : {catalog_access::read, catalog_access::write}) {
    const auto store = reopen(at, how);
    const auto reader = store->reader();
    CHECK(reader->find("tenant/stream").error().code == errc::corrupt);
    CHECK(reader->list("", "", 10, 0, 1).error().code == errc::corrupt);
    CHECK(store->verify().error().code == errc::corrupt);
  }
}

TEST_CASE("a value with pages of its own is as large as they are") {
  const catalog_place at;
  create(at, "a");
  const std::string value(10'000, 'v');
  {
    const auto databases = lmdb_databases::open(at.catalog(), lmdb_access::write);
    lmdb_transaction transaction{databases->environment};
    REQUIRE(transaction.begin_write());
    REQUIRE(transaction.put(databases->names, as_bytes("large"), as_bytes(value)));
    REQUIRE(transaction.commit());
  }
  const auto read = [&] {
    const auto databases = lmdb_databases::open(at.catalog(), lmdb_access::read);
    lmdb_transaction transaction{databases->environment};
    REQUIRE(transaction.begin_read() == 0);
    return transaction.get(databases->names, as_bytes("large"))
      .map([](const auto& found) { return std::string{as_text(*found)}; });
  };
  CHECK(read() == value);
  auto bytes = slurp(at.data());
  for (const auto key : places_of(bytes, "large"))
    bytes[key - 6] = 1; // 64 KiB more.
  spill(at.data(), bytes);
  const auto damaged = read();
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code == errc::corrupt);
}

TEST_CASE("a list of free pages that makes no sense is corrupt and not used") {
  const catalog_place at;
  create(at, "a");
  update(*reopen(at), put(2, "b"));
  std::string list; // A count, then pages.
  {
    const auto databases = lmdb_databases::open(at.catalog(), lmdb_access::read);
    lmdb_transaction transaction{databases->environment};
    REQUIRE(transaction.begin_read() == 0);
    lmdb_cursor cursor{transaction};
    REQUIRE(cursor.open(0));
    REQUIRE(*cursor.move(MDB_LAST));
    list = as_text(cursor.value());
  }
  REQUIRE(list.size() >= 3 * 8);
  auto bytes = slurp(at.data());
  auto broken = list;
  SUBCASE("a count beyond its end") { broken[3] = '\x7f'; }
  SUBCASE("a page beyond the file's end") { broken[8 + 3] = '\x7f'; }
  SUBCASE("a root page") { broken.replace(broken.size() - 8, 8, 8, '\0'); }
  SUBCASE("a page twice") { broken.replace(16, 8, broken.substr(8, 8)); }
  SUBCASE("pages in no order") {
    broken.replace(8, 8, list.substr(16, 8));
    broken.replace(16, 8, list.substr(8, 8));
  }
  REQUIRE(broken != list);
  for (auto found = bytes.find(list); found != bytes.npos;
       found = bytes.find(list))
    bytes.replace(found, list.size(), broken);
  spill(at.data(), bytes);
  const auto failure = refused(at, catalog_access::write);
  CHECK(failure.code == errc::corrupt);
  CHECK(failure.context.find("of data.mdb is damaged") != std::string::npos);
  CHECK(reopen(at, catalog_access::read)->verify().error().code
        == errc::corrupt);
  CHECK(slurp(at.data()) == bytes);
}

TEST_CASE("a tree with keys of another kind is corrupt") {
  const catalog_place at;
  create(at, "a");
  auto bytes = slurp(at.data());
  for (const auto key : places_of(bytes, "records"))
    bytes[key + 7 + 4] ^= MDB_INTEGERKEY;
  spill(at.data(), bytes);
  for (const auto how : {catalog_access::read, catalog_access::write})
    CHECK(refused(at, how).code == errc::corrupt);
}

TEST_CASE("whoever reads all of a catalog learns that it is whole, or what is "
          "not") {
  const catalog_place at;
  create(at, "tenant/stream");
  update(*reopen(at), put(2, "tenant/another"));
  CHECK(reopen(at, catalog_access::read)->verify());
  auto bytes = slurp(at.data());
  std::string complaint;
  constexpr std::size_t page_bytes = 4096;
  constexpr std::size_t lower = 12; // Where the page's list of nodes ends,
  constexpr std::size_t upper = 14; // and where its nodes begin.
  SUBCASE("a key") {
    for (const auto key : places_of(bytes, "tenant/stream"))
      bytes[key] ^= 1;
    complaint = "one of its names is damaged";
  }
  SUBCASE("a row that is lost") {
    for (const auto key : places_of(bytes, "tenant/another")) {
      bytes[key / page_bytes * page_bytes + lower] -= 2;
    }
    complaint = "of data.mdb is damaged";
  }
  SUBCASE("a number of rows") { // In the 48 bytes that tell of a tree.
    for (const auto key : places_of(bytes, "names"))
      ++bytes[key + 5 + 32];
    complaint = "its tree of names (2 of 3 are there) is damaged";
  }
  SUBCASE("a tree's name") {
    for (const auto key : places_of(bytes, "reviews"))
      bytes[key] ^= 32;
    complaint = "its list of trees is damaged";
  }
  SUBCASE("a page's end") {
    for (const auto key : places_of(bytes, "tenant/another"))
      bytes[key / page_bytes * page_bytes + upper] += 2;
    complaint = "of data.mdb is damaged";
  }
  SUBCASE("a page's number") {
    for (const auto key : places_of(bytes, "tenant/another"))
      bytes[key / page_bytes * page_bytes] ^= 1;
    complaint = "of data.mdb is damaged";
  }
  REQUIRE(complaint != "");
  spill(at.data(), bytes);
  const auto checked = reopen(at, catalog_access::read)->verify();
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == errc::corrupt);
  CHECK(checked.error().context.find(complaint) != std::string::npos);
}
