// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace torpor {

/// The directory that a bench or the demo works in: a fresh temporary one
/// below the current directory, removed at the end, or one that was named.
/// Threads: one owner.
class data_place {
public:
  /// `named` empty: a temporary one. One that is named must be empty or
  /// missing unless `reuse` says otherwise, and stays. Errors:
  /// invalid_argument (named, but in use), io_failed.
  [[nodiscard]] static result<data_place> choose(const std::string& named,
                                                 bool reuse = false);

  data_place(data_place&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, false)) {}
  data_place& operator=(data_place&&) = delete;
  ~data_place();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Does not remove it at the end.
  void keep() noexcept { temporary_ = false; }

  /// What it lies on: "/dev/sda1 (ext4)".
  [[nodiscard]] std::string disk() const;
  /// Bytes that can still be written there.
  [[nodiscard]] std::uint64_t free_bytes() const;

private:
  data_place(std::string path, bool temporary)
    : path_(std::move(path)), temporary_(temporary) {}

  std::string path_;
  bool temporary_;
};

} // namespace torpor
