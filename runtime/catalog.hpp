// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/segment_format.hpp"
#include "runtime/stream_record.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

/// Facts of the whole store that change with a checkpoint.
struct catalog_state {
  /// First journal file whose blocks are not yet in the records.
  std::uint64_t journal_first = 1;
  /// Times the store was opened for writing. Marks the frames of one opening.
  std::uint64_t incarnation = 0;
  /// First journal file that is not sealed: segments have the entries of all
  /// earlier ones. At most `journal_first`.
  std::uint64_t unsealed_first = 1;
  /// Number of the first frame that is not sealed.
  std::uint64_t frame_first = 1;
  /// Of the next segment; a number is never used again once it was stored.
  std::uint64_t next_segment = 1;
  /// Oldest entries first: each covers the journal files behind those of the
  /// one before it.
  std::vector<segment_summary> segments;
  /// Bytes of entries that were deleted since the segments were last searched
  /// for what is gone.
  std::uint64_t deleted_bytes = 0;
  bool operator==(const catalog_state&) const = default;
};

/// One changed record of a checkpoint; without a record the stream is gone.
struct catalog_change {
  stream_id id{};
  std::optional<stream_record> record;
};

/// A stream that retention has to look at when a time has come.
struct stream_review {
  std::int64_t time_ms = 0; ///< Since 1970.
  stream_id stream{};
  auto operator<=>(const stream_review&) const = default;
};

/// Looks records up. Every lookup sees the newest update that has returned, or
/// one that is about to.
/// Threads: one owner; several readers may run beside one `update`.
class catalog_reader {
public:
  virtual ~catalog_reader() = default;

  /// The record of a stream, or nullopt. Errors: io_failed, corrupt.
  [[nodiscard]] virtual result<std::optional<stream_record>>
  find(stream_id id) = 0;

  /// The id behind a name, or nullopt.
  [[nodiscard]] virtual result<std::optional<stream_id>>
  find(std::string_view name) = 0;

  /// Up to `count_max` names that start with `prefix` and come after `after`
  /// (from the start when empty), in byte order; only the streams of one
  /// shard: raw(id) % 256 % shards == shard.
  [[nodiscard]] virtual result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after, std::size_t count_max,
       std::uint32_t shard, std::uint32_t shards) = 0;

  /// Up to `count_max` records with a review, in order, that come after `after`
  /// and not after `until`; of one shard, as in `list`.
  [[nodiscard]] virtual result<std::vector<stream_review>>
  reviews(stream_review after, stream_review until, std::size_t count_max,
          std::uint32_t shard, std::uint32_t shards) = 0;
};

/// The table of all records. A stream that sleeps exists only here.
/// Threads: any for `reader`, `state`, `count`; one owner for `update`, `verify`.
class catalog {
public:
  virtual ~catalog() = default;

  [[nodiscard]] virtual std::unique_ptr<catalog_reader> reader() = 0;

  [[nodiscard]] virtual result<catalog_state> state() = 0;

  /// Streams in the table.
  [[nodiscard]] virtual result<std::uint64_t> count() = 0;

  /// Applies changes, and a new state when given, in one durable transaction.
  /// A name leads to the newest stream that was given it, the largest id, and
  /// is removed only while it still leads to the removed one; a stream keeps
  /// its name. Changes need not be sorted; of two of one stream the later one
  /// counts. Errors: io_failed (also when the disk is full), corrupt,
  /// invalid_argument when opened read-only; then nothing was changed.
  [[nodiscard]] virtual result<void>
  update(std::vector<catalog_change>& changes,
         std::optional<catalog_state> state) = 0;

  /// Largest number used by any id of each slot: raw(id) >> 8, per raw(id) &
  /// 255, also of deleted streams. 256 numbers.
  [[nodiscard]] virtual result<std::vector<std::uint64_t>> numbers() = 0;

  /// Reads every page and row: whether all that are counted are there, each as
  /// it was written. Errors: corrupt, which names the first that is not;
  /// io_failed.
  [[nodiscard]] virtual result<void> verify() { return {}; }
};

/// How to open a catalog.
enum class catalog_access : std::uint8_t {
  read,   ///< Never writes `data.mdb`.
  write,  ///< It has to be there.
  create, ///< To write; makes it when it is missing.
};

/// Opens the LMDB catalog in `directory` (docs/catalog-format.md). One opening
/// for writing at a time, and none in a process that has another. Errors:
/// io_failed, corrupt (also when it is missing), incompatible.
[[nodiscard]] result<std::unique_ptr<catalog>>
open_lmdb_catalog(const std::string& directory, catalog_access how);

/// A catalog in memory, for tests with a simulated disk: `update` is atomic
/// and durable at once.
[[nodiscard]] std::unique_ptr<catalog> make_memory_catalog();

} // namespace torpor
