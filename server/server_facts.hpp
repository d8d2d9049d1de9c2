// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/shared_histogram.hpp"
#include "server/http_counts.hpp"
#include "torpor/runtime.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace torpor {

/// Whether the daemon can do its work.
struct readiness {
  /// "ready", "full", "failed" or "stopping".
  std::string_view state = "ready";
  /// What it means and what helps; empty when ready.
  std::string_view reason;

  [[nodiscard]] bool ready() const noexcept { return reason.empty(); }
};

/// What a store takes on its disk, in bytes.
struct disk_facts {
  std::uint64_t journal = 0;
  std::uint64_t catalog = 0;
  std::uint64_t free = 0; ///< What is left for those who are not root.
};

/// Looks at the directories: some µs a file.
[[nodiscard]] disk_facts look_at_disk(const std::string& data_dir);

/// What goes through the door.
struct door_facts {
  std::uint64_t connections = 0;    ///< Open ones, now.
  std::uint64_t received_bytes = 0; ///< With headers, of all connections.
  std::uint64_t sent_bytes = 0;     ///< Likewise.
};

/// All that /metrics and /v1/stats tell, at one moment. Threads: one owner.
struct server_facts {
  readiness health;
  runtime_stats store;
  histogram_counts commits; ///< Until a frame of the journal was durable.
  http_totals http;
  disk_facts disk;
  door_facts door;
  std::int64_t started_ms = 0; ///< Since 1970.
  std::int64_t now_ms = 0;     ///< Since 1970.
  std::uint64_t uptime_ms = 0; ///< By a clock that nobody sets.
};

} // namespace torpor
