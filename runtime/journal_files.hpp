// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/frame.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace torpor {

/// What a journal needs to know of its store.
struct journal_config {
  std::string directory; ///< Holds journal files and nothing else.
  store_id store{};
  std::uint64_t incarnation = 0; ///< Number of this opening, from 1.
  /// Of a new file; 64 KiB to 1 GiB, a multiple of 4 KiB.
  std::uint64_t file_bytes = 64 << 20;
};

/// Name of a journal file in its directory: "0000000007.journal".
[[nodiscard]] std::string journal_file_name(std::uint32_t number);

/// Its path.
[[nodiscard]] std::string journal_file_path(const journal_config& config,
                                            std::uint32_t number);

/// What its path is until it is prepared.
[[nodiscard]] std::string unfinished_file_path(const journal_config& config,
                                               std::uint32_t number);

/// What lies in a journal's directory.
struct journal_listing {
  std::vector<std::uint32_t> numbers;  ///< Of the files, ascending.
  std::vector<std::string> unfinished; ///< Paths of files under preparation.
};

/// Lists the directory; names that are not a journal's are passed over.
/// Errors: io_failed.
[[nodiscard]] result<journal_listing>
list_journal_files(disk& disk, const journal_config& config);

} // namespace torpor
