// SPDX-License-Identifier: Apache-2.0
#include "runtime/catalog.hpp"
#include "runtime/lmdb_reader.hpp"
#include "runtime/lmdb_update.hpp"
#include "runtime/posix_disk.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace torpor {

namespace {

bool by_id(const catalog_change& left, const catalog_change& right) {
  return left.id < right.id;
}

class lmdb_catalog final : public catalog {
public:
  lmdb_catalog(lmdb_databases databases, bool read_only)
    : databases_{databases},
      source_{std::make_shared<lmdb_source>(std::move(databases))},
      read_only_{read_only} {}

  std::unique_ptr<catalog_reader> reader() override {
    return std::make_unique<lmdb_reader>(source_);
  }

  result<catalog_state> state() override {
    return lmdb_reader{source_}.state();
  }

  result<std::uint64_t> count() override {
    return lmdb_reader{source_}.count();
  }

  result<std::vector<std::uint64_t>> numbers() override {
    return lmdb_reader{source_}.numbers();
  }

  result<void> verify() override { return lmdb_reader{source_}.verify(); }

  result<void> update(std::vector<catalog_change>& changes,
                      std::optional<catalog_state> state) override {
    auto& environment = *databases_.environment;
    if (read_only_)
      return fail(errc::invalid_argument,
                  fmt::format("catalog '{}' was opened read-only",
                              environment.directory()));
    // A tool that was killed in a lookup must not pin its pages for ever.
    ::mdb_reader_check(environment.get(), nullptr);
    // Of two changes of one stream the later one counts.
    if (!std::is_sorted(changes.begin(), changes.end(), by_id))
      std::stable_sort(changes.begin(), changes.end(), by_id);
    lmdb_transaction transaction{databases_.environment};
    return transaction.begin_write()
      .and_then([&] { return write(transaction, changes, state); })
      .and_then([&] { return transaction.commit(); })
      .map([&] { environment.reserve(); });
  }

private:
  result<void> write(lmdb_transaction& transaction,
                     const std::vector<catalog_change>& changes,
                     const std::optional<catalog_state>& state) {
    lmdb_update update{databases_, transaction};
    auto applied = update.apply(changes);
    if (!applied || !state)
      return applied;
    return update.set_state(*state);
  }

  lmdb_databases databases_;
  std::shared_ptr<lmdb_source> source_;
  bool read_only_;
};

bool exists(const std::string& path) {
  struct ::stat status {};
  return ::stat(path.c_str(), &status) == 0 || errno != ENOENT;
}

/// Locking takes a lock file that we may write. Without one we must not make
/// one: it could belong to the wrong user when the store starts again.
lmdb_access read_access(const std::string& directory) {
  const auto lock = directory + "/lock.mdb";
  return ::faccessat(AT_FDCWD, lock.c_str(), R_OK | W_OK, AT_EACCESS) == 0
           ? lmdb_access::read
           : lmdb_access::read_unlocked;
}

result<void> make_file(const std::string& directory) {
  posix_disk disk;
  return disk.make_directory(directory).and_then([&] {
    // If it is there whoever made it may have died before this sync.
    return exists(directory + "/data.mdb") ? disk.sync_directory(directory)
                                           : lmdb_databases::create(directory);
  });
}

result<void> find_file(const std::string& directory) {
  const auto file = directory + "/data.mdb";
  if (exists(file))
    return {};
  return fail(errc::corrupt, fmt::format("'{}' is missing; restore it from a "
                                         "copy",
                                         file));
}

result<lmdb_databases> open_to_write(const std::string& directory) {
  auto databases = lmdb_databases::open(directory, lmdb_access::write);
  if (databases)
    databases->environment->reserve();
  return databases;
}

} // namespace

result<std::unique_ptr<catalog>> open_lmdb_catalog(const std::string& directory,
                                                   catalog_access how) {
  if (const auto ready = how == catalog_access::create ? make_file(directory)
                                                       : find_file(directory);
      !ready)
    return tl::unexpected{ready.error()};
  const auto read_only = how == catalog_access::read;
  auto databases = read_only
                     ? lmdb_databases::open(directory, read_access(directory))
                     : open_to_write(directory);
  return std::move(databases).map([&](lmdb_databases&& opened) {
    return std::unique_ptr<catalog>{
      std::make_unique<lmdb_catalog>(std::move(opened), read_only)};
  });
}

} // namespace torpor
