// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog.hpp"
#include "runtime/clock.hpp"
#include "runtime/disk.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_scan.hpp"
#include "runtime/memory_budget.hpp"
#include "runtime/posix_disk.hpp"
#include "runtime/segment_list.hpp"
#include "runtime/stream_table.hpp"
#include "torpor/options.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace torpor {

/// The world below a store. Tests put a simulated one here.
struct environment {
  std::shared_ptr<torpor::disk> disk;
  std::shared_ptr<torpor::clock> clock;
  /// Opens the catalog in a directory.
  std::function<result<std::unique_ptr<catalog>>(const std::string&,
                                                 catalog_access)>
    open_catalog;
  bool lock = true; ///< False: nobody else can reach this disk.

  /// The machine's disk and clocks, and LMDB.
  [[nodiscard]] static environment real();
};

/// How to open a store.
enum class access : std::uint8_t {
  write,   ///< Makes it when it is missing; repairs a torn tail.
  inspect, ///< Changes nothing, tolerates damage; beside other inspectors only.
};

/// A store that has been locked and recovered, before any actor runs.
struct store {
  options config;
  environment world;
  std::optional<store_lock> lock;
  std::unique_ptr<catalog> records;
  catalog_state state;
  /// Sealed journal files before that one stay: some segment is missing or
  /// cannot be read, and they may have what it had. 0: none is missed.
  std::uint32_t kept_before = 0;
  journal_config journal;
  scan_result scan;
  std::shared_ptr<const segment_list> segments; ///< Until an engine has it.
  std::unique_ptr<memory_budget> budget;
  std::vector<std::unique_ptr<stream_table>> tables; ///< One per shard.
  std::uint64_t replayed_entries = 0; ///< From files after the checkpoint.
  std::uint64_t replayed_bytes = 0;   ///< Of all blocks in these files.

  /// Opens the store in `config.data_dir` (validated options). Errors: locked,
  /// incompatible (foreign directory, newer version), corrupt (names file and
  /// offset), io_failed, not_found (inspecting what is not there).
  [[nodiscard]] static result<std::unique_ptr<store>>
  open(options config, environment world, access mode);
};

/// Where the parts of a store lie below its directory.
[[nodiscard]] std::string lock_path(const std::string& data_dir);
[[nodiscard]] std::string identity_path(const std::string& data_dir);
[[nodiscard]] std::string catalog_directory(const std::string& data_dir);
[[nodiscard]] std::string journal_directory(const std::string& data_dir);
[[nodiscard]] std::string segment_directory(const std::string& data_dir);

} // namespace torpor
