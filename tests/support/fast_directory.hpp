// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include <unistd.h>

namespace torpor::test {

/// A new directory whose name begins with `name`, for stores that are made by
/// the thousand: below `base`, or else in memory (/dev/shm), or else among other
/// temporary files. It stays.
inline std::string make_fast_directory(std::string_view name,
                                       std::string base = {}) {
  if (base.empty())
    base = ::access("/dev/shm", W_OK) == 0
             ? "/dev/shm"
             : std::filesystem::temp_directory_path().string();
  auto path = base + "/" + std::string{name} + "-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    throw std::runtime_error{"cannot make a directory in " + base};
  return path;
}

} // namespace torpor::test
