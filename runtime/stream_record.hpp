// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// What one accepted append of a producer was answered.
struct producer_answer {
  std::uint64_t number = 0; ///< The producer's own sequence, from 0.
  sequence first{};         ///< Sequence of the append's first entry.
  std::uint32_t count = 0;  ///< Entries in the append; 0: no answer here.
  bool operator==(const producer_answer&) const = default;
};

/// An idempotent producer as its stream remembers it.
struct producer_state {
  /// Answers kept for retries: how many appends a producer may have in flight.
  static constexpr std::size_t answers_max = 5;

  std::string id;          ///< 1 to 256 bytes, chosen by the producer.
  std::uint64_t epoch = 0; ///< Older epochs are fenced.
  std::uint64_t next = 0;  ///< The number its next append must have.
  /// Number n stands at n % answers_max.
  std::array<producer_answer, answers_max> answers{};
  bool operator==(const producer_state&) const = default;
};

/// The producers of one stream, least recently used first.
using producer_table = std::vector<producer_state>;

/// Entries that retention counts together: up to where the next run begins.
struct retained_run {
  sequence first{};
  std::int64_t first_ms = 0; ///< Timestamp of the first entry.
  std::int64_t last_ms = 0;  ///< Of the newest one.
  std::uint64_t bytes = 0;   ///< Of all its entries, as blocks have them.
  bool operator==(const retained_run&) const = default;
};

/// A living fork of a stream, for which it keeps its entries.
struct fork_pin {
  std::uint64_t number = 0; ///< From 1, never used again by the same stream.
  std::string name;         ///< Of the fork.
  bool operator==(const fork_pin&) const = default;
};

/// What most streams have none of.
struct stream_settings {
  sync_policy sync;
  retention_policy keep;        ///< The stream's own.
  std::int64_t touched_ms = 0;  ///< When it was made or last used, for the ttl.
  std::int64_t review_ms = 0;   ///< When retention looks at it; 0: never.
  std::vector<retained_run> runs; ///< Oldest first; only for age or bytes.
  std::string content_type;     ///< Empty: unknown.
  std::string order;            ///< Of the last append that had one.
  fork_origin origin;           ///< Source 0: not forked.
  std::vector<fork_pin> pins;   ///< Forks of this stream, oldest first.
  std::uint64_t pins_made = 0;  ///< The largest number that a pin ever had.
  bool buried = false;          ///< Deleted, but still needed by forks.
  /// When it was last read: newer than `touched_ms` by less than an eighth of
  /// the ttl. Not stored.
  std::int64_t seen_ms = 0;
  bool operator==(const stream_settings&) const = default;
};

/// The most that `stream_record::kept_bytes` holds.
inline constexpr std::uint64_t kept_bytes_max = ~std::uint64_t{0} >> 1;

/// What is kept of a stream while it sleeps: durable facts only. Stored in the
/// catalog (docs/catalog-format.md).
struct stream_record {
  std::string name;
  sequence first{};         ///< Oldest kept entry; first <= next.
  sequence next{};          ///< Sequence of the next entry.
  std::int64_t last_ms = 0; ///< Timestamp of the newest entry, ms since 1970.
  /// Of the kept entries, as blocks have them; about that after a truncation.
  std::uint64_t kept_bytes : 63 = 0;
  bool closed : 1 = false; ///< Takes no more entries.
  /// Null when all is as the store says: nearly always.
  std::unique_ptr<stream_settings> settings;
  /// Null when no producer ever wrote: nearly always.
  std::unique_ptr<producer_table> producers;

  [[nodiscard]] stream_record clone() const {
    return {name,
            first,
            next,
            last_ms,
            kept_bytes,
            closed,
            settings ? std::make_unique<stream_settings>(*settings) : nullptr,
            producers ? std::make_unique<producer_table>(*producers) : nullptr};
  }
};

/// Bytes of the last `left` of `all` entries (at least 1), which count as
/// equally large.
[[nodiscard]] inline std::uint64_t
bytes_left(std::uint64_t bytes, std::uint64_t left, std::uint64_t all) noexcept {
  const auto share = static_cast<double>(left) / static_cast<double>(all);
  return static_cast<std::uint64_t>(static_cast<double>(bytes) * share);
}

/// Appends a record as the catalog keeps it (docs/catalog-format.md). Its name
/// has 1 to 512 bytes.
void encode(const stream_record& record, std::vector<std::byte>& into);

/// Decodes what `encode` wrote. Errors: corrupt.
[[nodiscard]] result<stream_record> decode_record(bytes_view bytes);

/// The time of the next review in what `encode` wrote; 0: none, or damaged.
[[nodiscard]] std::int64_t review_in_record(bytes_view bytes);

/// The name in what `encode` wrote, without decoding the rest. A view into
/// `bytes`.
[[nodiscard]] std::string_view name_in_record(bytes_view bytes) noexcept;

} // namespace torpor
