// SPDX-License-Identifier: Apache-2.0
#include "server/server_facts.hpp"

#include "runtime/store.hpp"

#include <filesystem>

#include <sys/stat.h>

namespace torpor {

namespace {

/// What the files in a directory take, which is less than their size where
/// they have holes. One that goes meanwhile counts nothing.
std::uint64_t bytes_below(const std::string& directory) {
  constexpr std::uint64_t block = 512; // Of st_blocks, whatever the disk's is.
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (std::filesystem::directory_iterator at{directory, failed}, end;
       !failed && at != end; at.increment(failed)) {
    struct stat found {};
    if (::stat(at->path().c_str(), &found) == 0)
      bytes += static_cast<std::uint64_t>(found.st_blocks) * block;
  }
  return bytes;
}

} // namespace

disk_facts look_at_disk(const std::string& data_dir) {
  std::error_code failed;
  const auto space = std::filesystem::space(data_dir, failed);
  return {bytes_below(journal_directory(data_dir)),
          bytes_below(catalog_directory(data_dir)),
          failed ? 0 : space.available};
}

} // namespace torpor
