// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/latency_histogram.hpp"
#include "cli/read_bench_store.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <string>

namespace torpor {

/// What the store of a reading bench holds.
struct read_load {
  std::uint64_t streams = 10'000;
  std::uint64_t entries = 100;       ///< Of each.
  std::uint32_t entry_bytes = 256;
  std::uint64_t long_mib = 64;       ///< Of one more stream.
  std::string payload = "text";      ///< "text" or "random".

  [[nodiscard]] std::uint64_t long_entries() const noexcept;
  [[nodiscard]] std::uint64_t total_bytes() const noexcept;
};

/// Its name: "bench/0000123"; the long one is behind all others.
[[nodiscard]] std::string read_load_stream(std::uint64_t number);

/// Bytes that are cut into payloads: words as in logs, or random ones.
[[nodiscard]] std::string payload_pool(const std::string& kind,
                                       std::uint32_t entry_bytes);

/// Fills a store, durably: the streams take turns, an entry each. Errors: as
/// `stream::append`.
[[nodiscard]] result<void> fill(const read_load& what, engine& store);

/// Payload read in a time.
struct scan_figures {
  std::uint64_t bytes = 0;
  double seconds = 0;
  double cpu_seconds = 0; ///< Of the whole process.

  [[nodiscard]] double mib_per_s() const noexcept;
};

/// Reads all streams, in the order of their names, a few at a time.
[[nodiscard]] result<scan_figures> scan_all(const read_load& what,
                                            const read_bench_store& store);

/// Reads the long stream, page after page.
[[nodiscard]] result<scan_figures> scan_long(const read_load& what,
                                             const read_bench_store& store);

/// Reads of a single entry, one at a time.
struct point_figures {
  latency_histogram times;
  std::uint64_t segments = 0; ///< Looked into, in all.
  std::uint64_t segments_max = 0;
  std::uint64_t reads = 0; ///< Reads of files but those of an index, in all.
  std::uint64_t reads_max = 0;
};

/// Reads random entries of random streams for `seconds`. `cold`: the page cache
/// is dropped before each.
[[nodiscard]] result<point_figures> read_points(const read_load& what,
                                                const read_bench_store& store,
                                                double seconds, bool cold);

} // namespace torpor
