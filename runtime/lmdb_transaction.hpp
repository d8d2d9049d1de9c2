// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/lmdb_environment.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace torpor {

/// One transaction at a time, aborted unless committed. Threads: one owner;
/// one that writes stays on its thread.
class lmdb_transaction {
public:
  explicit lmdb_transaction(
    std::shared_ptr<lmdb_environment> environment) noexcept
    : environment_{std::move(environment)} {}
  lmdb_transaction(const lmdb_transaction&) = delete;
  lmdb_transaction& operator=(const lmdb_transaction&) = delete;
  ~lmdb_transaction();

  [[nodiscard]] result<void> begin_write();

  /// Begins to read the newest state. LMDB's answer: 0, or why not.
  [[nodiscard]] int begin_read() noexcept;
  /// Keeps the handle for the next `begin_read`, and no page.
  void end_read() noexcept { ::mdb_txn_reset(txn_); }

  /// Without MDB_CREATE in `flags` errors: incompatible when there is none. corrupt
  /// when it was made with other flags.
  [[nodiscard]] result<MDB_dbi> open_database(const char* name, unsigned flags);

  /// A view that ends with the next change or with the transaction.
  [[nodiscard]] result<std::optional<bytes_view>> get(MDB_dbi database,
                                                      bytes_view key) const;
  [[nodiscard]] result<void> put(MDB_dbi database, bytes_view key,
                                 bytes_view value);
  /// No error when there is no such key.
  [[nodiscard]] result<void> remove(MDB_dbi database, bytes_view key);
  [[nodiscard]] result<std::uint64_t> entries(MDB_dbi database) const;

  /// Durable when it returns. Errors: io_failed, and nothing was changed.
  [[nodiscard]] result<void> commit();

  [[nodiscard]] tl::unexpected<error> failed(std::string_view call,
                                             int number) const {
    return fail_lmdb(call, environment_->directory(), number);
  }
  /// Whether a value lies in the file, for a transaction that reads. LMDB believes
  /// what a damaged page says of its size, and whoever reads on behind the file's
  /// end is killed. One that writes has values in memory, too: always true.
  [[nodiscard]] bool has(const MDB_val& value) const;
  [[nodiscard]] const std::string& directory() const noexcept {
    return environment_->directory();
  }
  [[nodiscard]] MDB_txn* get() const noexcept { return txn_; }

private:
  std::shared_ptr<lmdb_environment> environment_;
  MDB_txn* txn_ = nullptr;
  bool writes_ = false;
};

/// A place in a database. Ends before its transaction. Threads: one owner.
class lmdb_cursor {
public:
  explicit lmdb_cursor(const lmdb_transaction& transaction) noexcept
    : transaction_{transaction} {}
  lmdb_cursor(const lmdb_cursor&) = delete;
  lmdb_cursor& operator=(const lmdb_cursor&) = delete;
  ~lmdb_cursor();

  [[nodiscard]] result<void> open(MDB_dbi database);

  /// Moves to `key` or relative to the place; false when nothing is there.
  [[nodiscard]] result<bool> move(MDB_cursor_op how, bytes_view key = {});

  // What is there. Views that end with the next change.
  [[nodiscard]] bytes_view key() const noexcept { return key_; }
  [[nodiscard]] bytes_view value() const noexcept { return value_; }

  /// `flags`: MDB_CURRENT to replace what is there, MDB_APPEND when `key` comes
  /// after every other, or 0.
  [[nodiscard]] result<void> put(bytes_view key, bytes_view value,
                                 unsigned flags);
  /// Removes what is there.
  [[nodiscard]] result<void> remove();

private:
  const lmdb_transaction& transaction_;
  MDB_cursor* cursor_ = nullptr;
  bytes_view key_;
  bytes_view value_;
};

} // namespace torpor
