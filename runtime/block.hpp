// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/byte_buffer.hpp"
#include "runtime/stream_record.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

class wire_writer;

/// Where a block lies in the journal. A file number of 0 is nowhere.
struct block_place {
  std::uint32_t file = 0;   ///< Number of the journal file, from 1.
  std::uint32_t offset = 0; ///< Of the block's first byte in that file.
  std::uint32_t bytes = 0;  ///< Of the whole block.
  bool operator==(const block_place&) const = default;
};

/// An idempotent append inside a block.
struct producer_stamp {
  std::string_view id;
  std::uint64_t epoch = 0;
  std::uint64_t number = 0; ///< The producer's own sequence.
  sequence first{};         ///< Of the append's first entry.
  std::uint32_t count = 0;  ///< Entries of the append.
};

/// A fork that begins to need a stream's entries, or (without a name) ends to.
struct pin_change {
  std::uint64_t number = 0;
  std::string_view name;
};

/// A decoded block: one atomic change of one stream. Views into its bytes.
/// Format: docs/journal-format.md.
struct block_view {
  stream_id stream{};
  sequence first{};           ///< Of the first entry; the next one if none.
  std::uint32_t count = 0;    ///< Entries.
  std::int64_t first_ms = 0;  ///< Timestamp of the first entry.
  std::int64_t last_ms = 0;   ///< Timestamp of the last entry.
  bool creates = false;       ///< The stream begins here and has `name`.
  bool closes = false;        ///< No entry comes after this block.
  bool removes = false;       ///< The stream ends here.
  bool buries = false;        ///< It is deleted, but forks need its entries.
  std::string_view name;
  std::optional<sync_policy> policy;
  std::optional<retention_policy> retention;
  std::optional<sequence> truncates; ///< Entries before it are deleted.
  std::optional<std::int64_t> touched_ms; ///< The stream was used then.
  std::string_view content_type;     ///< Only of one that creates.
  fork_origin origin;                ///< Only of one that creates.
  std::string_view order;            ///< Of the newest append that has one.
  std::vector<pin_change> pins;
  std::vector<producer_stamp> stamps;
  std::size_t entry_bytes = 0; ///< Of the encoded entries.
  bytes_view entries;         ///< Encoded; read them with `entry_cursor`.
  bytes_view whole;           ///< All of its bytes; none in a summary.
};

/// Bytes in front of a block's body: size (u32) and checksum (u64).
inline constexpr std::size_t block_head_bytes = 12;

/// The size a block claims, or 0 when `bytes` cannot hold a block.
[[nodiscard]] std::uint32_t claimed_block_bytes(bytes_view bytes) noexcept;

/// Checks and decodes one whole block. The entries are covered by its checksum
/// and looked at by `entry_cursor` only. Errors: corrupt.
[[nodiscard]] result<block_view> parse_block(bytes_view bytes);

/// Walks over the entries of a parsed block. Threads: one owner.
class entry_cursor {
public:
  explicit entry_cursor(const block_view& block) noexcept;

  /// The next entry, or nullopt at the end and where the entries make no sense.
  [[nodiscard]] std::optional<entry_view> next() noexcept;

  /// Behind the end: whether the entries were what the block's head says. If
  /// not, a faulty writer made the block, for its checksum was right.
  [[nodiscard]] bool sound() const noexcept { return sound_; }

private:
  bytes_view rest_;
  sequence seq_;
  std::int64_t time_ms_;
  std::int64_t last_ms_; ///< What the last entry's time must be.
  std::uint32_t left_;
  bool sound_ = true;
};

/// What is to be said of a block whose entries are not sound.
inline constexpr std::string_view senseless_entries
  = "the block's entries make no sense";

/// Bytes of key-value pairs as an entry carries them; none for no pairs.
[[nodiscard]] std::vector<std::byte>
encode_properties(const std::vector<property>& properties);

/// Collects a stream's changes until they are synced. The entries are encoded
/// as they come; `finish` puts the head in front of them.
/// Threads: one owner, which changes with the message that carries it.
class block_builder {
public:
  /// Begins an empty block. Keeps memory of at most `kept_bytes`.
  void start(stream_id stream, sequence first);

  /// Adds an entry. `time_ms` is at least that of the entry before.
  void add(bytes_view payload, bytes_view properties, std::int64_t time_ms);

  /// The stream begins with this block, at the sequence it was started with.
  void create(std::string_view name, std::string_view content_type = {},
              const fork_origin& origin = {}) {
    name_ = name;
    content_type_ = content_type;
    origin_ = origin;
  }
  void close() noexcept { closes_ = true; }
  void remove() noexcept { removes_ = true; }
  void bury() noexcept { buries_ = true; }
  void order(std::string_view order) { order_ = order; }
  /// A fork needs the stream's entries from now on, or not any more (no name).
  void pin(std::uint64_t number, std::string_view fork);
  void policy(const sync_policy& policy) noexcept { policy_ = policy; }
  void policy(const retention_policy& policy) noexcept { retention_ = policy; }
  /// The retention policy that the block sets, if it does.
  [[nodiscard]] const std::optional<retention_policy>& retention() const noexcept {
    return retention_;
  }
  /// Whether it says that the stream was used, or how long it stays.
  [[nodiscard]] bool renews() const noexcept {
    return retention_ || touched_ms_;
  }
  void touch(std::int64_t time_ms) noexcept { touched_ms_ = time_ms; }
  /// Of several the largest counts.
  void truncate(sequence before) noexcept {
    truncates_ = std::max(truncates_.value_or(before), before);
  }

  /// States that the last `count` entries were one append of a producer.
  void stamp(std::string_view id, std::uint64_t epoch, std::uint64_t number,
             std::uint32_t count);

  /// Gives memory beyond a small buffer back; what was added is lost.
  void trim() noexcept { buffer_.shrink(kept_bytes); }

  /// The whole block. Nothing can be added afterwards.
  [[nodiscard]] bytes_view finish();

  /// What `parse_block` will say of the finished block, without the entries.
  [[nodiscard]] block_view summary() const;

  [[nodiscard]] stream_id stream() const noexcept { return stream_; }
  [[nodiscard]] sequence first() const noexcept { return first_; }
  [[nodiscard]] sequence next() const noexcept { return first_ + count_; }
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t last_ms() const noexcept { return last_ms_; }
  /// Bytes of the encoded entries and stamps so far.
  [[nodiscard]] std::size_t content_bytes() const noexcept {
    return (buffer_.size() < room ? 0 : buffer_.size() - room) + stamps_bytes_;
  }
  /// Most bytes that the finished block can have.
  [[nodiscard]] std::size_t bytes_max() const noexcept {
    return head_bytes_max() + content_bytes() - stamps_bytes_;
  }
  /// Most bytes that a stamp adds.
  [[nodiscard]] static constexpr std::size_t
  stamp_bytes(std::size_t id_bytes) noexcept {
    return id_bytes + 5 * 10;
  }
  /// Bytes of the encoded entries so far.
  [[nodiscard]] std::size_t entry_bytes() const noexcept {
    return entry_bytes_;
  }
  /// Bytes of the payloads so far.
  [[nodiscard]] std::size_t payload_bytes() const noexcept {
    return payload_bytes_;
  }
  /// Memory held.
  [[nodiscard]] std::size_t capacity() const noexcept {
    return buffer_.capacity();
  }
  /// True when there is something to make durable.
  [[nodiscard]] bool any() const noexcept {
    return count_ > 0 || !name_.empty() || closes_ || removes_ || policy_
           || retention_ || truncates_ || touched_ms_ || buries_
           || !order_.empty() || !pins_.empty() || !stamps_.empty();
  }

private:
  struct owned_pin {
    std::uint64_t number;
    std::string name;
  };
  struct owned_stamp {
    std::string id;
    std::uint64_t epoch;
    std::uint64_t number;
    sequence first;
    std::uint32_t count;
  };

  /// Kept free in front of the entries for the head.
  static constexpr std::size_t room = 64;
  /// A builder that is used again keeps at most this much memory.
  static constexpr std::size_t kept_bytes = 8u << 10;

  [[nodiscard]] std::size_t head_bytes_max() const noexcept;
  [[nodiscard]] std::size_t write_head(std::byte* at) const;
  void write_newer(wire_writer& to) const;

  stream_id stream_{};
  sequence first_{};
  std::uint32_t count_ = 0;
  std::size_t payload_bytes_ = 0;
  std::size_t entry_bytes_ = 0;
  std::int64_t first_ms_ = 0;
  std::int64_t last_ms_ = 0;
  bool closes_ = false;
  bool removes_ = false;
  bool buries_ = false;
  std::optional<sync_policy> policy_;
  std::optional<retention_policy> retention_;
  std::optional<sequence> truncates_;
  std::optional<std::int64_t> touched_ms_;
  std::string name_;
  std::string content_type_;
  fork_origin origin_;
  std::string order_;
  std::vector<owned_pin> pins_;
  std::vector<owned_stamp> stamps_;
  std::size_t stamps_bytes_ = 0; ///< Of the pins, too.
  byte_buffer buffer_;
};

} // namespace torpor
