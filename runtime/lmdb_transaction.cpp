// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_transaction.hpp"

#include "runtime/lmdb_pages.hpp"

#include <unistd.h>

namespace torpor {

namespace {

MDB_val as_mdb(bytes_view bytes) noexcept {
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};
}

bytes_view as_view(const MDB_val& value) noexcept {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

} // namespace

lmdb_transaction::~lmdb_transaction() {
  if (txn_ != nullptr)
    ::mdb_txn_abort(txn_);
}

result<void> lmdb_transaction::begin_write() {
  const int rc = ::mdb_txn_begin(environment_->get(), nullptr, 0, &txn_);
  if (rc != 0)
    return failed("begin", rc);
  writes_ = true;
  return {};
}

int lmdb_transaction::begin_read() noexcept {
  writes_ = false;
  if (txn_ != nullptr)
    return ::mdb_txn_renew(txn_);
  return ::mdb_txn_begin(environment_->get(), nullptr, MDB_RDONLY, &txn_);
}

result<MDB_dbi> lmdb_transaction::open_database(const char* name,
                                                unsigned flags) {
  MDB_dbi database = 0;
  const int rc = ::mdb_dbi_open(txn_, name, flags, &database);
  if (rc != 0)
    return failed("open database", rc == MDB_NOTFOUND ? MDB_INCOMPATIBLE : rc);
  unsigned stored = 0; // LMDB goes by these, and looks keys up in their order.
  if (::mdb_dbi_flags(txn_, database, &stored) != 0
      || stored != (flags & ~static_cast<unsigned>(MDB_CREATE)))
    return failed("open database", MDB_CORRUPTED);
  return database;
}

result<std::optional<bytes_view>> lmdb_transaction::get(MDB_dbi database,
                                                        bytes_view key) const {
  auto wanted = as_mdb(key);
  MDB_val value{};
  const int rc = ::mdb_get(txn_, database, &wanted, &value);
  if (rc == MDB_NOTFOUND)
    return std::nullopt;
  if (rc != 0)
    return failed("get", rc);
  if (!has(value))
    return failed("get", MDB_CORRUPTED);
  return as_view(value);
}

// Pages are mapped as they lie in the file: a value is in one page, or behind the
// head of the first of its own.
bool lmdb_transaction::has(const MDB_val& value) const {
  // A file with larger pages than the machine's may lie in the map anyhow.
  static const auto machine_page = static_cast<std::size_t>(
    ::sysconf(_SC_PAGESIZE));
  if (writes_ || environment_->page_bytes() > machine_page)
    return true;
  const auto page_bytes = environment_->page_bytes();
  const auto at = reinterpret_cast<std::uintptr_t>(value.mv_data) % page_bytes;
  if (at + value.mv_size <= page_bytes)
    return true;
  if (at != value_pages::head_bytes)
    return false;
  const auto pages = value_pages::of(
    {static_cast<const std::byte*>(value.mv_data) - at, at});
  const auto end = environment_->pages();
  return pages && pages->first < end && pages->count <= end - pages->first
         && pages->hold(value.mv_size, page_bytes);
}

result<void> lmdb_transaction::put(MDB_dbi database, bytes_view key,
                                   bytes_view value) {
  auto at = as_mdb(key);
  auto what = as_mdb(value);
  const int rc = ::mdb_put(txn_, database, &at, &what, 0);
  if (rc != 0)
    return failed("put", rc);
  return {};
}

result<void> lmdb_transaction::remove(MDB_dbi database, bytes_view key) {
  auto at = as_mdb(key);
  const int rc = ::mdb_del(txn_, database, &at, nullptr);
  if (rc != 0 && rc != MDB_NOTFOUND)
    return failed("delete", rc);
  return {};
}

result<std::uint64_t> lmdb_transaction::entries(MDB_dbi database) const {
  MDB_stat stat{};
  const int rc = ::mdb_stat(txn_, database, &stat);
  if (rc != 0)
    return failed("stat", rc);
  return stat.ms_entries;
}

result<void> lmdb_transaction::commit() {
  const int rc = ::mdb_txn_commit(std::exchange(txn_, nullptr));
  if (rc != 0)
    return failed("commit", rc);
  return {};
}

lmdb_cursor::~lmdb_cursor() {
  if (cursor_ != nullptr)
    ::mdb_cursor_close(cursor_);
}

result<void> lmdb_cursor::open(MDB_dbi database) {
  const int rc = ::mdb_cursor_open(transaction_.get(), database, &cursor_);
  if (rc != 0)
    return transaction_.failed("open cursor", rc);
  return {};
}

result<bool> lmdb_cursor::move(MDB_cursor_op how, bytes_view key) {
  auto at = as_mdb(key);
  MDB_val what{};
  const int rc = ::mdb_cursor_get(cursor_, &at, &what, how);
  if (rc == MDB_NOTFOUND)
    return false;
  if (rc != 0)
    return transaction_.failed("move cursor", rc);
  if (!transaction_.has(what))
    return transaction_.failed("move cursor", MDB_CORRUPTED);
  key_ = as_view(at);
  value_ = as_view(what);
  return true;
}

result<void> lmdb_cursor::put(bytes_view key, bytes_view value,
                              unsigned flags) {
  auto at = as_mdb(key);
  auto what = as_mdb(value);
  const int rc = ::mdb_cursor_put(cursor_, &at, &what, flags);
  if (rc != 0)
    return transaction_.failed("put", rc);
  return {};
}

result<void> lmdb_cursor::remove() {
  const int rc = ::mdb_cursor_del(cursor_, 0);
  if (rc != 0)
    return transaction_.failed("delete", rc);
  return {};
}

} // namespace torpor
