// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/stream_table.hpp"

#include <list>
#include <memory>
#include <string>
#include <utility>

namespace torpor {

/// Fetches the blocks of reads from segments and journal and checks every
/// byte. Keeps a few journal files open. Threads: one owner.
class block_reader {
public:
  block_reader(disk& disk, std::string journal_directory);

  /// Fills the job's page, as far as it goes; what is damaged behind the first
  /// entries is left to the next read. Errors: corrupt (names stream and
  /// range), io_failed: also when a file was sealed or merged away since the
  /// job was made; a new job of the same read then finds its successor.
  [[nodiscard]] result<read_page> run(read_job& job);

  /// Closes the journal files before that number, so that a removed one leaves
  /// the disk.
  void forget(std::uint32_t first);

private:
  /// What became of a part of a read.
  enum class progress : std::uint8_t {
    more, ///< The page has room.
    full,
  };

  [[nodiscard]] result<void> find_time(read_job& job);
  [[nodiscard]] result<void> check_before(const read_job& job);
  [[nodiscard]] result<progress> take_sealed(read_job& job);
  [[nodiscard]] result<progress> take_part(read_job& job,
                                           const segment_list::found& part);
  [[nodiscard]] result<progress> take_chunk(read_job& job,
                                            const segment_list::found& part,
                                            std::uint32_t number);
  [[nodiscard]] result<progress> take_journal(read_job& job);
  [[nodiscard]] result<progress> take(read_job& job, const block_view& block,
                                      const std::string& path);
  [[nodiscard]] result<file*> open(std::uint32_t number);

  static constexpr std::size_t open_files_max = 16;

  disk& disk_;
  std::string directory_;
  /// Most recently used first.
  std::list<std::pair<std::uint32_t, std::unique_ptr<file>>> files_;
  sequence expected_{};     ///< Where the next block has to begin.
  std::uint64_t bytes_ = 0; ///< Of the payloads in the page.
};

} // namespace torpor
