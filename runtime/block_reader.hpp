// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/stream_table.hpp"

#include <list>
#include <memory>
#include <string>
#include <utility>

namespace torpor {

/// Fetches the blocks of reads from the journal and checks every byte.
/// Keeps a few files open. Threads: one owner.
class block_reader {
public:
  block_reader(disk& disk, std::string journal_directory);

  /// Fills the job's page. Errors: corrupt (names stream and range),
  /// io_failed.
  [[nodiscard]] result<read_page> run(read_job& job);

private:
  [[nodiscard]] result<file*> open(std::uint32_t number);

  static constexpr std::size_t open_files_max = 16;

  disk& disk_;
  std::string directory_;
  /// Most recently used first.
  std::list<std::pair<std::uint32_t, std::unique_ptr<file>>> files_;
};

} // namespace torpor
