// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

/// Names a stream for good: never used again after a delete. The low 8 bits
/// are the slot, a hash of the name that decides the shard; the rest counts
/// the streams of that slot from 1. 0 is no stream.
enum class stream_id : std::uint64_t {};

/// Place of an entry in its stream: from 0, no gaps.
enum class sequence : std::uint64_t {};

/// The number behind a distinct type.
[[nodiscard]] constexpr std::uint64_t raw(stream_id id) noexcept {
  return static_cast<std::uint64_t>(id);
}
[[nodiscard]] constexpr std::uint64_t raw(sequence seq) noexcept {
  return static_cast<std::uint64_t>(seq);
}
[[nodiscard]] constexpr sequence operator+(sequence seq,
                                           std::uint64_t n) noexcept {
  return sequence{raw(seq) + n};
}

/// Bytes that somebody else owns.
using bytes_view = std::span<const std::byte>;

/// The bytes of a text, for payloads.
[[nodiscard]] inline bytes_view as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
/// The text in some bytes.
[[nodiscard]] inline std::string_view as_text(bytes_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A key and its value, carried with an entry.
using property = std::pair<std::string, std::string>;

/// One entry as a reader sees it. Views into the page that brought it.
struct entry_view {
  sequence seq{};           ///< Place in the stream.
  std::int64_t time_ms = 0; ///< ms since 1970; never decreases.
  bytes_view payload;       ///< 0 to `limits::payload_bytes_max`.
  bytes_view encoded;       ///< The properties as stored; empty for none.

  /// The properties, in the order they were given. If `encoded` is not what a
  /// store gave, those in front of the first that cannot be read.
  [[nodiscard]] std::vector<property> properties() const;
};

/// When a stream's data is due, where it differs from the store's options.
/// Stored in its record. 0 means: as the store says.
struct sync_policy {
  std::uint32_t max_delay_ms = 0; ///< 1 to 3,600,000.
  std::uint32_t max_bytes = 0;    ///< 4 KiB to 16 MiB.
  std::uint32_t linger_ms = 0;    ///< 1 to 1,000.
  bool operator==(const sync_policy&) const = default;
};

/// How long a stream and its entries stay, where it differs from the store's
/// rules. Stored in its record. 0 means: as the rules say, and without a rule
/// for good.
struct retention_policy {
  /// In place of a number: no bound, whatever the rules say.
  static constexpr std::uint64_t unlimited = ~std::uint64_t{0};

  std::uint64_t age_ms = 0;  ///< Entries go when they are older, 1 to 2^42.
  std::uint64_t bytes = 0;   ///< The oldest go when all that stay have more, 1 to 2^60.
  std::uint64_t entries = 0; ///< The oldest go when more stay, from 1.
  std::uint64_t ttl_ms = 0;  ///< The stream goes when nobody wrote or read it for so long, 1 to 2^42.
  std::int64_t expires_ms = 0; ///< The stream goes at that time, ms since 1970.
  bool operator==(const retention_policy&) const = default;
};

/// Where a stream that was forked begins: what comes before `at` are the
/// entries of another one. Stored in its record.
struct fork_origin {
  stream_id source{};    ///< 0: not forked.
  sequence at{};         ///< The first sequence of its own.
  std::uint64_t sub = 0; ///< The caller's own refinement; not looked at.
  std::uint64_t pin = 0; ///< Names the fork in the source's record.
  bool operator==(const fork_origin&) const = default;
};

/// How a stream is to be made.
struct create_options {
  sync_policy policy{};
  retention_policy keep{};
  std::string content_type{}; ///< What its entries are, 1 to 256 bytes of printable ASCII; empty: unknown.
  bool closes = false;      ///< It is closed at once, behind the entries given.
  fork_origin origin{};     ///< The engine's own, see `fork` (actors/fork.hpp).
};

/// Sizes that hold for every store. A change needs a new format version.
namespace limits {
inline constexpr std::size_t name_bytes_max = 512;
inline constexpr std::size_t payload_bytes_max = 16u << 20;    ///< 16 MiB.
inline constexpr std::size_t append_bytes_max = 32u << 20;     ///< One append, encoded.
inline constexpr std::size_t append_entries_max = 1u << 20;    ///< One append.
inline constexpr std::size_t properties_bytes_max = 64u << 10; ///< One entry, encoded.
inline constexpr std::size_t producer_id_bytes_max = 256;
inline constexpr std::size_t content_type_bytes_max = 256;
inline constexpr std::size_t order_bytes_max = 256;
inline constexpr std::size_t forks_max = 10'000; ///< Living ones of one stream.
} // namespace limits

} // namespace torpor
