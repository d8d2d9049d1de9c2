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

  /// Whether a value may be as large. LMDB believes what a damaged page says of
  /// it, and whoever reads on behind the file's end is killed.
  [[nodiscard]] bool may_hold(std::size_t bytes) const {
    return bytes <= small_bytes || bytes <= used_bytes();
  }

  /// Of the newest update, free ones included.
  [[nodiscard]] std::uint64_t pages() const;
  /// The first of them that the file did not have when it was opened to write.
  /// LMDB never wrote those that are free: an update took them for a moment. The
  /// others were cut off.
  [[nodiscard]] std::uint64_t missing_from() const noexcept {
    return missing_from_;
  }
  /// Gives the file the length back that it was opened with.
  void uncover();

  /// Allocates blocks for the next updates, so that a full disk does not stop
  /// a small one. Best effort.
  void reserve();

private:
  static constexpr std::size_t small_bytes = 4096; // They need no look.

  explicit lmdb_environment(std::string directory)
    : directory_{std::move(directory)} {}

  result<void> open_file(const std::string& path, unsigned flags);
  /// What a killed process committed may be seen and not be durable yet.
  result<void> sync();
  /// Makes sure that the file has all of its pages, so that one that is missing
  /// is zeros and not a SIGBUS. Errors: corrupt, when it has not and was opened
  /// to read; io_failed.
  result<void> cover();
  result<std::uint64_t> file_bytes() const;
  std::uint64_t used_bytes() const;
  int descriptor() const;

  std::string directory_;
  MDB_env* env_ = nullptr;
  std::uint64_t found_bytes_ = 0;
  std::uint64_t missing_from_ = ~std::uint64_t{0};
};

} // namespace torpor
