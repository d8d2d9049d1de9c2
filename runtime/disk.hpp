// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace torpor {

/// An open file. Threads: one owner writes and syncs; any thread reads.
class file {
public:
  virtual ~file() = default;

  /// Writes all bytes at `offset`. After an error nothing is known about that
  /// range, and the file must not be written or synced again.
  [[nodiscard]] virtual result<void> write(std::uint64_t offset,
                                           bytes_view bytes) = 0;

  /// Makes every finished write durable (`fdatasync`). Never call it again
  /// after it failed: the kernel may have dropped the pages it could not write.
  [[nodiscard]] virtual result<void> sync() = 0;

  /// Reads up to `into.size()` bytes; fewer only at the end of the file.
  [[nodiscard]] virtual result<std::size_t>
  read(std::uint64_t offset, std::span<std::byte> into) const = 0;

  /// Bytes in the file.
  [[nodiscard]] virtual result<std::uint64_t> size() const = 0;

  /// Cuts the file to `bytes`. Durable after the next `sync`.
  [[nodiscard]] virtual result<void> truncate(std::uint64_t bytes) = 0;

  /// For messages: the path it was opened with.
  [[nodiscard]] virtual const std::string& path() const noexcept = 0;
};

/// How to open a file.
enum class open_mode : std::uint8_t {
  read,   ///< Must exist.
  write,  ///< Must exist; read and write.
  create, ///< Must not exist; read and write.
};

/// The file system below a store. Threads: any.
class disk {
public:
  virtual ~disk() = default;

  [[nodiscard]] virtual result<std::unique_ptr<file>>
  open(const std::string& path, open_mode mode) = 0;

  /// Replaces `to` if it exists; both are in the same directory. Durable after
  /// `sync_directory`.
  [[nodiscard]] virtual result<void> rename(const std::string& from,
                                            const std::string& to) = 0;

  /// Removes a file. Durable after `sync_directory`.
  [[nodiscard]] virtual result<void> unlink(const std::string& path) = 0;

  /// Makes creates, renames and unlinks in a directory durable. After it
  /// failed do not repeat it: those changes may be lost, only new ones count.
  [[nodiscard]] virtual result<void>
  sync_directory(const std::string& path) = 0;

  /// Makes a directory and syncs its parent; no error if it is there.
  [[nodiscard]] virtual result<void>
  make_directory(const std::string& path) = 0;

  /// Names of the files in a directory, without its directories, sorted.
  /// Errors: io_failed, not_found when there is no such directory.
  [[nodiscard]] virtual result<std::vector<std::string>>
  list(const std::string& path) = 0;
};

} // namespace torpor
