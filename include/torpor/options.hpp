// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace torpor {

/// When buffered entries become durable. A stream's record can override the
/// first three.
struct sync_options {
  std::chrono::milliseconds max_delay{5000}; ///< 1 ms to 1 h after the first buffered entry.
  std::uint32_t max_bytes = 64u << 10;       ///< 4 KiB to 16 MiB of one stream: then due.
  std::chrono::milliseconds linger{0};       ///< 0 to 1 s that a durable append waits for others.
  std::uint32_t window = 4096;               ///< 1 to 65,536 syncs in flight per shard.
};

/// How much may be held in memory.
struct memory_options {
  std::uint64_t buffered_bytes_max = 256ull << 20; ///< 1 MiB to 1 TiB not yet durable, all streams.
  std::uint64_t stream_bytes_max = 64ull << 20;    ///< 64 KiB to 1 GiB not yet durable, one stream.
  std::uint64_t tenant_bytes_max = 0;              ///< Not yet durable, one tenant; 0: no share.
  std::uint32_t record_cache = 65536;              ///< 0 to 100,000,000 unchanged records kept.
  /// Shares of single tenants (first path part of the name), in bytes.
  std::map<std::string, std::uint64_t> tenants;
};

/// Where and how the journal is written.
struct journal_options {
  std::uint64_t file_bytes = 64ull << 20;      ///< 64 KiB to 1 GiB, a multiple of 4 KiB.
  std::chrono::milliseconds idle_mark{1000};   ///< 10 ms to 1 h of silence, then the end is marked.
};

/// How entries are kept for long.
struct segment_options {
  std::uint32_t compression = 1; ///< Level of zstd, 1 to 19; 0: not compressed.
};

/// What stays of the streams whose names begin with a prefix. Of several rules
/// that fit, the one with the longest prefix counts.
struct retention_rule {
  std::optional<std::string> prefix; ///< Has to be given; "" is every stream.
  retention_policy keep;             ///< Without `expires_ms`.
  bool operator==(const retention_rule&) const = default;
};

/// Threads and actors. All of it needs a restart.
struct pool_options {
  std::uint32_t workers = 0; ///< 1 to 64; 0: two per processor, at most 8.
  std::uint32_t shards = 0;  ///< 1 to 64; 0: one per worker.
  std::uint32_t readers = 2; ///< 1 to 16 actors that read old entries.
};

/// Everything a store can be told. `config/torpor.ini` shows the same.
struct options {
  std::string data_dir = "torpor-data"; ///< Made when it is missing.
  bool create_on_append = true;         ///< False: append needs a created stream.
  sync_options sync;
  memory_options memory;
  journal_options journal;
  segment_options segments;
  std::map<std::string, retention_rule> retention; ///< By a name of its own.
  pool_options pool;
};

/// Check a stream's own policies. Errors: invalid_argument.
[[nodiscard]] result<void> check_policy(const sync_policy& policy);
[[nodiscard]] result<void> check_retention(const retention_policy& policy);

/// The options with every 0 that means "choose" filled in. Errors:
/// invalid_argument, naming the option, its value and its range.
[[nodiscard]] result<options> validate(options given);

} // namespace torpor
