// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_databases.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <fcntl.h>
#include <unistd.h>

// What only the catalog on disk promises; catalog_test.cpp has the rest.

using namespace torpor;

namespace {

catalog_state state_of(std::uint64_t journal_first, std::uint64_t incarnation) {
  catalog_state state;
  state.journal_first = journal_first;
  state.incarnation = incarnation;
  return state;
}


namespace fs = std::filesystem;

/// An empty directory that goes away with its content.
class scratch {
public:
  scratch() {
    auto name = (fs::temp_directory_path() / "torpor-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::string catalog() const { return root_ + "/catalog"; }
  [[nodiscard]] std::string data() const { return catalog() + "/data.mdb"; }

private:
  std::string root_;
};

/// Lowers a soft limit of this process for as long as it lives.
class limit {
public:
  limit(int resource, rlim_t value) : resource_{resource} {
    REQUIRE(::getrlimit(which(), &before_) == 0);
    auto now = before_;
    now.rlim_cur = value;
    REQUIRE(::setrlimit(which(), &now) == 0);
  }
  limit(const limit&) = delete;
  limit& operator=(const limit&) = delete;
  ~limit() { ::setrlimit(which(), &before_); }

private:
  [[nodiscard]] __rlimit_resource which() const {
    return static_cast<__rlimit_resource>(resource_);
  }

  int resource_;
  rlimit before_{};
};

/// A small disk of its own below a directory, where we may mount one.
class small_disk {
public:
  explicit small_disk(std::string at)
    : at_{std::move(at)},
      mounted_{::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=12m") == 0} {}
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (mounted_) // Also behind a failed test, whose files are still open.
      ::umount2(at_.c_str(), MNT_DETACH);
  }

  explicit operator bool() const { return mounted_; }

private:
  std::string at_;
  bool mounted_;
};

rlim_t mapped_bytes() {
  rlim_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

constexpr stream_id make_id(std::uint64_t number) {
  return stream_id{number << 8};
}

catalog_change put(std::uint64_t number, std::string name,
                   std::uint64_t next = 0) {
  stream_record record;
  record.name = std::move(name);
  record.next = sequence{next};
  return {make_id(number), std::move(record)};
}

/// Streams `from` to `to` with names of 500 bytes: about 1 KB each.
std::vector<catalog_change> large(std::uint64_t from, std::uint64_t to) {
  std::vector<catalog_change> changes;
  for (auto number = from; number < to; ++number) {
    auto name = std::to_string(number) + '/';
    changes.push_back(put(number, name.append(500 - name.size(), 'n')));
  }
  return changes;
}

std::unique_ptr<catalog> reopen(const scratch& at,
                                catalog_access how = catalog_access::create) {
  auto opened = open_lmdb_catalog(at.catalog(), how);
  REQUIRE_MESSAGE(opened, (opened ? "" : to_string(opened.error())));
  return std::move(*opened);
}

void update(catalog& into, catalog_change change) {
  std::vector<catalog_change> list;
  list.push_back(std::move(change));
  REQUIRE(into.update(list, std::nullopt));
}

/// Creates the catalog with one stream, 1, of that name.
void create(const scratch& at, const std::string& name) {
  update(*reopen(at), put(1, name));
}

error refused(const scratch& at,
              catalog_access how = catalog_access::create) {
  auto opened = open_lmdb_catalog(at.catalog(), how);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().context.find(at.catalog()) != std::string::npos);
  return opened.error();
}

std::string slurp(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator{in}, {}};
}

void spill(const std::string& path, std::string_view content) {
  std::ofstream{path, std::ios::binary}.write(
    content.data(), static_cast<std::streamsize>(content.size()));
}

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

/// Refuses one update that does not fit, then checks that nothing was changed
/// and that the catalog works on.
error check_full(catalog& store, std::uint64_t streams) {
  update(store, put(1, "first", 7));
  auto changes = large(2, streams);
  const auto reader = store.reader();
  const auto updated = store.update(changes, state_of(99, 99));
  REQUIRE_FALSE(updated);
  CHECK(updated.error().code == errc::io_failed);
  CHECK(*store.count() == 1);
  CHECK(store.state()->journal_first == 1);
  CHECK((*reader->find(make_id(1)))->next == sequence{7});
  CHECK_FALSE(*reader->find(make_id(2)));
  update(store, put(2, "second"));
  CHECK(*reader->find("second") == make_id(2));
  return updated.error();
}

} // namespace

TEST_CASE("a creation that broke off does no harm") {
  const scratch at;
  fs::create_directory(at.catalog());
  spill(at.data() + ".new", "half of");
  create(at, "a");
  CHECK(*reopen(at)->count() == 1);
  CHECK_FALSE(fs::exists(at.data() + ".new"));
}

TEST_CASE("an LMDB file that is not a catalog is left alone") {
  const scratch at;
  fs::create_directory(at.catalog());
  REQUIRE(lmdb_environment::create(at.catalog(), [](auto& environment) {
    lmdb_transaction transaction{
      std::shared_ptr<lmdb_environment>{&environment, [](auto*) {}}};
    REQUIRE(transaction.begin_write());
    const auto other = transaction.open_database("other", MDB_CREATE);
    REQUIRE(transaction.put(*other, as_bytes("key"), as_bytes("value")));
    return transaction.commit();
  }));
  const auto before = slurp(at.data());
  for (const auto how : {catalog_access::create, catalog_access::read}) {
    const auto failure = refused(at, how);
    CHECK(failure.code == errc::incompatible);
    CHECK(failure.context.find("another directory") != std::string::npos);
  }
  CHECK(slurp(at.data()) == before);
}

TEST_CASE("a catalog of a newer version is left alone") {
  const scratch at;
  create(at, "a");
  {
    const auto databases = lmdb_databases::open(at.catalog(),
                                                lmdb_access::write);
    lmdb_transaction transaction{databases->environment};
    catalog_value version;
    encode_number(2, version);
    seal(as_bytes("format"), version);
    REQUIRE(transaction.begin_write());
    REQUIRE(transaction.put(databases->meta, as_bytes("format"), version));
    REQUIRE(transaction.commit());
  }
  const auto failure = refused(at);
  CHECK(failure.code == errc::incompatible);
  CHECK(failure.context.find("format 2") != std::string::npos);
}

TEST_CASE("a file of garbage, an empty and a short one are corrupt") {
  for (const std::size_t bytes : {0, 10, 5'000, 100'000})
    for (const auto how : {catalog_access::create, catalog_access::read}) {
      CAPTURE(bytes);
      const scratch at;
      fs::create_directory(at.catalog());
      spill(at.data(), std::string(bytes, 'x'));
      CHECK(refused(at, how).code == errc::corrupt);
      CHECK(slurp(at.data()) == std::string(bytes, 'x'));
    }
}

TEST_CASE("a file that was cut off is corrupt, wherever, and stays as it is") {
  const scratch at;
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
  const scratch at;
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

TEST_CASE("a directory that cannot be used is named") {
  const scratch at;
  spill(at.catalog(), "a file, no directory");
  CHECK(refused(at).code == errc::io_failed);
  CHECK(refused(at, catalog_access::read).code == errc::io_failed);
}

TEST_CASE("nothing is created but on demand") {
  const scratch at;
  for (const auto how : {catalog_access::read, catalog_access::write}) {
    CHECK(refused(at, how).code == errc::corrupt);
    CHECK_FALSE(fs::exists(at.catalog()));
  }
}

TEST_CASE("a record with a flipped bit is corrupt and named") {
  const scratch at;
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
  const scratch at;
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
  const scratch at;
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
  const scratch at;
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
  const scratch at;
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
  const scratch at;
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

TEST_CASE("an update beyond the address space changes nothing") {
  const scratch at;
  create(at, "first");
  std::unique_ptr<catalog> store;
  {
    const limit small{RLIMIT_AS, mapped_bytes() + (40u << 20)};
    store = reopen(at);
  }
  const auto failure = check_full(*store, 60'000);
  CHECK(failure.context.find("ulimit -v") != std::string::npos);
}

TEST_CASE("an update that the file system cuts short changes nothing") {
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  {
    const scratch at;
    const auto store = reopen(at);
    const limit small{RLIMIT_FSIZE, 6u << 20};
    CHECK(check_full(*store, 10'000).context.find("ulimit -f")
          != std::string::npos);
  }
  std::signal(SIGXFSZ, before);
}

TEST_CASE("a full disk is named, and freeing space is enough") {
  const scratch at;
  fs::create_directory(at.catalog());
  const small_disk disk{at.catalog()};
  if (!disk) {
    MESSAGE("skipped: mounting a small tmpfs needs root");
    return;
  }
  const auto store = reopen(at);
  // What is reserved is enough to go on when others fill the disk.
  const auto filler = at.catalog() + "/filler";
  spill(filler, std::string(12u << 20, 'x'));
  const auto failure = check_full(*store, 10'000);
  CHECK(failure.context.find("disk full") != std::string::npos);
  fs::remove(filler);
  auto changes = large(3, 3'000);
  CHECK(store->update(changes, std::nullopt));
}

TEST_CASE("an idle reader pins no old pages") {
  const scratch at;
  const auto store = reopen(at);
  const auto reader = store->reader();
  const auto churn = [&](int rounds) {
    for (int round = 0; round < rounds; ++round) {
      auto changes = large(1, 300);
      REQUIRE(store->update(changes, std::nullopt));
    }
    return fs::file_size(at.data());
  };
  const auto before = churn(10);
  REQUIRE(reader->find(make_id(1)));
  REQUIRE(reader->find("nobody"));
  REQUIRE(reader->list("", "", 1, 0, 1));
  CHECK(churn(100) == before);
}

TEST_CASE("a catalog that is open read-only refuses updates") {
  const scratch at;
  create(at, "a");
  const auto store = reopen(at, catalog_access::read);
  std::vector<catalog_change> changes;
  const auto updated = store->update(changes, std::nullopt);
  REQUIRE_FALSE(updated);
  CHECK(updated.error().code == errc::invalid_argument);
  CHECK(*store->reader()->find("a") == make_id(1));
}

TEST_CASE("a copy without a lock file is read without making one") {
  const scratch at;
  create(at, "a");
  fs::remove(at.catalog() + "/lock.mdb");
  CHECK(*reopen(at, catalog_access::read)->reader()->find("a") == make_id(1));
  CHECK_FALSE(fs::exists(at.catalog() + "/lock.mdb"));
}

TEST_CASE("a catalog is read by a user who may not write it") {
  const scratch at;
  create(at, "a");
  fs::permissions(at.root(), fs::perms{0755});
  fs::permissions(at.catalog(), fs::perms{0555});
  fs::permissions(at.catalog() + "/lock.mdb", fs::perms{0444});
  const bool root = ::geteuid() == 0;
  if (root)
    REQUIRE(::seteuid(65534) == 0);
  const auto reachable = ::faccessat(AT_FDCWD, at.catalog().c_str(),
                                     R_OK | X_OK, AT_EACCESS)
                         == 0;
  const auto opened = open_lmdb_catalog(at.catalog(), catalog_access::read);
  if (root)
    REQUIRE(::seteuid(0) == 0);
  fs::permissions(at.catalog(), fs::perms{0755});
  if (!reachable) {
    MESSAGE("other users cannot enter the temporary directory: not tested");
    return;
  }
  REQUIRE(opened);
  CHECK(*(*opened)->reader()->find("a") == make_id(1));
}

TEST_CASE("64 readers, one for each of the most shards, see every update") {
  const scratch at;
  const auto store = reopen(at);
  std::vector<std::unique_ptr<catalog_reader>> readers;
  for (int i = 0; i < 64; ++i)
    readers.push_back(store->reader());
  for (std::uint64_t next = 1; next < 20; ++next) {
    update(*store, put(1, "a", next));
    for (auto& reader : readers)
      CHECK((*reader->find(make_id(1)))->next == sequence{next});
  }
}

// LMDB shows a reader that was interrupted for a whole update the one that is
// being written, and the next time the one before it.
TEST_CASE("lookups run beside updates and see the newest or the one before") {
  const scratch at;
  const auto store = reopen(at);
  update(*store, put(1, "a"));
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  const auto look = [&] {
    const auto reader = store->reader();
    sequence seen{};
    while (!done) {
      const auto record = reader->find(make_id(1));
      if (!record || !*record || (*record)->next + 1 < seen
          || *reader->find("a") != make_id(1) || !store->state())
        ++wrong;
      else
        seen = std::max(seen, (*record)->next);
    }
  };
  std::thread first{look};
  std::thread second{look};
  for (std::uint64_t next = 1; next <= 200; ++next) {
    auto changes = large(2, 100);
    changes.push_back(put(1, "a", next));
    if (!store->update(changes, state_of(next, 1)))
      ++wrong;
  }
  done = true;
  first.join();
  second.join();
  CHECK(wrong == 0);
}
