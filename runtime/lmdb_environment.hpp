// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <lmdb.h>

namespace torpor {

/// Turns an answer of LMDB into an error that names the call and the
/// directory: corrupt, incompatible or io_failed.
[[nodiscard]] tl::unexpected<error>
fail_lmdb(std::string_view call, const std::string& directory, int number);

/// How to open an environment.
enum class lmdb_access : std::uint8_t {
  write,         ///< Creates the lock file when it is missing.
  read,          ///< Beside a writer; takes part in its locking.
  read_unlocked, ///< Writes nothing at all; safe only while nobody writes.
};

/// An open LMDB environment: `data.mdb` and `lock.mdb` in one directory. At
/// most one that locks may be open per directory and process. Threads: any.
class lmdb_environment {
public:
  /// Up to this many read transactions at once, in all processes.
  static constexpr unsigned readers_max = 512;

  /// Opens an environment that exists. Errors: io_failed, corrupt,
  /// incompatible.
  [[nodiscard]] static result<std::shared_ptr<lmdb_environment>>
  open(const std::string& directory, lmdb_access access);

  /// Creates `data.mdb` with what `fill` puts into it; the file appears whole
  /// or not at all. Errors: io_failed, and those of `fill`.
  [[nodiscard]] static result<void>
  create(const std::string& directory,
         const std::function<result<void>(lmdb_environment&)>& fill);

  lmdb_environment(const lmdb_environment&) = delete;
  lmdb_environment& operator=(const lmdb_environment&) = delete;
  ~lmdb_environment();

  [[nodiscard]] MDB_env* get() const noexcept { return env_; }
  [[nodiscard]] const std::string& directory() const noexcept {
    return directory_;
  }

  /// Allocates blocks for the next updates, so that a full disk does not stop
  /// a small one. Best effort.
  void reserve();

private:
  explicit lmdb_environment(std::string directory)
    : directory_{std::move(directory)} {}

  result<void> open_file(const std::string& path, unsigned flags);
  /// What a killed process committed may be seen and not be durable yet.
  result<void> sync();
  /// Makes sure that the file has all of its pages, so that a page that was
  /// cut off is an error and not a SIGBUS. Errors: corrupt, when it has not
  /// and was opened to read; io_failed.
  result<void> cover();
  result<std::uint64_t> file_bytes() const;
  std::uint64_t used_bytes() const;
  int descriptor() const;

  std::string directory_;
  MDB_env* env_ = nullptr;
};

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

  /// Without MDB_CREATE in `flags` errors: incompatible when there is none.
  [[nodiscard]] result<MDB_dbi> open_database(const char* name,
                                              unsigned flags);

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
  [[nodiscard]] const std::string& directory() const noexcept {
    return environment_->directory();
  }
  [[nodiscard]] MDB_txn* get() const noexcept { return txn_; }

private:
  std::shared_ptr<lmdb_environment> environment_;
  MDB_txn* txn_ = nullptr;
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
  [[nodiscard]] bytes_view key() const noexcept { return view(key_); }
  [[nodiscard]] bytes_view value() const noexcept { return view(value_); }

  /// `flags`: MDB_CURRENT to replace what is there, MDB_APPEND when `key` comes
  /// after every other, or 0.
  [[nodiscard]] result<void> put(bytes_view key, bytes_view value,
                                 unsigned flags);
  /// Removes what is there.
  [[nodiscard]] result<void> remove();

private:
  static bytes_view view(const MDB_val& value) noexcept {
    return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
  }

  const lmdb_transaction& transaction_;
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{};
  MDB_val value_{};
};

} // namespace torpor
