// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <stdlib.h>

/// Where an example keeps its store: a directory that was named and stays, or
/// a new one below the current directory, removed at the end.
/// Threads: one owner.
class scratch_directory {
public:
  /// `named` empty: a new one.
  explicit scratch_directory(std::string named) : path_(std::move(named)) {
    if (!path_.empty())
      return;
    path_ = "./torpor-example-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr)
      std::abort();
    temporary_ = true;
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    if (temporary_)
      std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
  bool temporary_ = false;
};
