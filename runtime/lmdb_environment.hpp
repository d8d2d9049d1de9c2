// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
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

  /// Of the newest update, free ones included.
  [[nodiscard]] std::uint64_t pages() const;
  [[nodiscard]] std::size_t page_bytes() const noexcept { return page_bytes_; }

  /// Allocates blocks for the next updates, so that a full disk does not stop
  /// a small one. Best effort.
  void reserve();

private:
  explicit lmdb_environment(std::string directory)
    : directory_{std::move(directory)} {}

  result<void> open_file(const std::string& path, unsigned flags);
  /// What a killed process committed may be seen and not be durable yet.
  result<void> sync();
  result<std::uint64_t> file_bytes() const;
  int descriptor() const;

  std::string directory_;
  MDB_env* env_ = nullptr;
  std::size_t page_bytes_ = 0;
};

} // namespace torpor
