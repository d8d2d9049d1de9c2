// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_databases.hpp"
#include "tests/support/lmdb_fixture.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/mount.h>
#include <sys/resource.h>
#include <fcntl.h>
#include <unistd.h>

// What only the catalog on disk promises; catalog_test.cpp has the rest, and
// lmdb_damage_test.cpp what damage does.

using namespace torpor;
using namespace torpor::test;

namespace {

catalog_state state_of(std::uint64_t journal_first, std::uint64_t incarnation) {
  catalog_state state;
  state.journal_first = journal_first;
  state.incarnation = incarnation;
  return state;
}

namespace fs = std::filesystem;

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
  const catalog_place at;
  fs::create_directory(at.catalog());
  spill(at.data() + ".new", "half of");
  create(at, "a");
  CHECK(*reopen(at)->count() == 1);
  CHECK_FALSE(fs::exists(at.data() + ".new"));
}

TEST_CASE("an LMDB file that is not a catalog is left alone") {
  const catalog_place at;
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
  const catalog_place at;
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

TEST_CASE("a directory that cannot be used is named") {
  const catalog_place at;
  spill(at.catalog(), "a file, no directory");
  CHECK(refused(at).code == errc::io_failed);
  CHECK(refused(at, catalog_access::read).code == errc::io_failed);
}

TEST_CASE("nothing is created but on demand") {
  const catalog_place at;
  for (const auto how : {catalog_access::read, catalog_access::write}) {
    CHECK(refused(at, how).code == errc::corrupt);
    CHECK_FALSE(fs::exists(at.catalog()));
  }
}

TEST_CASE("an update beyond the address space changes nothing") {
  const catalog_place at;
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
    const catalog_place at;
    const auto store = reopen(at);
    const limit small{RLIMIT_FSIZE, 6u << 20};
    CHECK(check_full(*store, 10'000).context.find("ulimit -f")
          != std::string::npos);
  }
  std::signal(SIGXFSZ, before);
}

TEST_CASE("a full disk is named, and freeing space is enough") {
  const catalog_place at;
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
  const catalog_place at;
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
  const catalog_place at;
  create(at, "a");
  const auto store = reopen(at, catalog_access::read);
  std::vector<catalog_change> changes;
  const auto updated = store->update(changes, std::nullopt);
  REQUIRE_FALSE(updated);
  CHECK(updated.error().code == errc::invalid_argument);
  CHECK(*store->reader()->find("a") == make_id(1));
}

TEST_CASE("a copy without a lock file is read without making one") {
  const catalog_place at;
  create(at, "a");
  fs::remove(at.catalog() + "/lock.mdb");
  CHECK(*reopen(at, catalog_access::read)->reader()->find("a") == make_id(1));
  CHECK_FALSE(fs::exists(at.catalog() + "/lock.mdb"));
}

TEST_CASE("a catalog is read by a user who may not write it") {
  const catalog_place at;
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
  const catalog_place at;
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
  const catalog_place at;
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
