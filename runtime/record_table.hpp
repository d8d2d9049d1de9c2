// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/block_index.hpp"
#include "runtime/catalog.hpp"
#include "runtime/id_map.hpp"
#include "runtime/retention.hpp"
#include "runtime/review_queue.hpp"
#include "runtime/slab.hpp"
#include "runtime/stream_record.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

/// Ids and names belong to 256 slots, and slots to shards, for good: the
/// shard count may change from one opening to the next.
inline constexpr std::uint32_t slots = 256;

/// The slot of a name.
[[nodiscard]] std::uint8_t slot_of(std::string_view name) noexcept;
/// The shard that owns a name or an id.
[[nodiscard]] inline std::uint32_t shard_of(std::string_view name,
                                            std::uint32_t shards) noexcept {
  return slot_of(name) % shards;
}
[[nodiscard]] inline std::uint32_t shard_of(stream_id id,
                                            std::uint32_t shards) noexcept {
  return static_cast<std::uint32_t>(raw(id) % slots) % shards;
}

/// Which streams a list has.
enum class listing : std::uint8_t {
  all,
  living, ///< Not those that are deleted and only kept for their forks.
};

/// A record in memory. Two cache lines.
struct alignas(64) record_row {
  stream_id id{};
  stream_record record;   ///< Durable facts only.
  block_chain blocks;     ///< What the index has of it.
  slab<int>::index awake = slab<int>::none; ///< The awake stream, if any.
  bool unborn = false;    ///< Its create is not durable yet.
  bool removed = false;   ///< Durably removed; waits for the checkpoint.
  bool dirty = false;     ///< Newer than in the catalog.
  bool saving = false;    ///< On its way into the catalog.
  bool fresh = false;     ///< Its name is not in the catalog yet.
  bool recent = false;    ///< Used since the clock hand passed.
  std::uint32_t armed_more = 0;  ///< A later deadline, ms behind; 0: none known.
  std::uint64_t armed_until = 0; ///< Earliest one in the wheel; 0: none known.
};
static_assert(sizeof(record_row) == 128);

/// One shard's records that are in memory: changed ones until the next
/// checkpoint, those with blocks in the index, and of the others the recently
/// used ones up to a bound.
/// All others are in the catalog only.
/// Threads: one owner.
class record_table {
public:
  using row_index = slab<record_row>::index;
  static constexpr row_index none = slab<record_row>::none;

  record_table(std::unique_ptr<catalog_reader> catalog, std::uint32_t shard,
               std::uint32_t shards, std::uint32_t cache_max,
               retention_rules rules = {});

  /// States the largest number ever used in a slot.
  void number(std::uint8_t slot, std::uint64_t largest) noexcept;

  /// The row of a stream, also of an unborn one; `none` when there is no such
  /// stream. Errors: io_failed, corrupt.
  [[nodiscard]] result<row_index> find(stream_id id);
  [[nodiscard]] result<row_index> find(std::string_view name);

  /// A new stream, unborn, of that content type (empty: unknown), and forked
  /// from another if `origin` has a source.
  [[nodiscard]] row_index create(std::string_view name,
                                 std::string_view content_type = {},
                                 const fork_origin& origin = {});

  /// Takes a `create` back: nothing of the stream was buffered.
  void forget(row_index unborn);

  /// Applies a durable block to the row of its stream, which it returns. `none`
  /// when the stream is unknown: a block from before a removal that the catalog
  /// holds already. Errors: io_failed, corrupt: also a block that creates a
  /// stream of a number that cannot be.
  [[nodiscard]] result<row_index> apply(const block_view& block);

  /// The same when the row is known and alive.
  void apply(row_index at, const block_view& block);

  /// Bytes of entries that blocks have deleted since the last call.
  [[nodiscard]] std::uint64_t take_deleted_bytes() noexcept {
    return std::exchange(deleted_bytes_, 0);
  }

  [[nodiscard]] record_row& operator[](row_index at) { return rows_[at]; }
  [[nodiscard]] const record_row& operator[](row_index at) const {
    return rows_[at];
  }

  /// Up to `count_max` streams in name order; see `catalog_reader::list`. For
  /// `living` the record of each is looked at.
  [[nodiscard]] result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after, std::size_t count_max,
       listing which = listing::all);

  /// The index has no blocks below this serial number any more. Rows without
  /// indexed blocks need not stay; `evict` lets them go.
  void unpin(std::uint64_t floor) noexcept { pinned_from_ = floor; }

  /// Gives up rows that were not used for long, beyond the bound. Looks at most
  /// at `steps` of them. True when there may be more to give up.
  bool evict(std::size_t steps);

  // -- retention -------------------------------------------------------------

  /// What holds for a stream.
  [[nodiscard]] retention_policy retention(row_index at) const;
  [[nodiscard]] const retention_rules& rules() const noexcept {
    return rules_;
  }

  /// States when retention has to look at a stream, from what its record says,
  /// what holds for it, and not before `earliest_ms`.
  void plan_review(row_index at, const retention_policy& keep,
                   std::int64_t earliest_ms);

  /// Has retention look at a stream again at that time, whatever its record says.
  void review_again(stream_id id, std::int64_t time_ms) {
    reviews_.add({time_ms, id});
  }

  /// Streams that are due for a review, at most `count_max`; each is taken
  /// once. Errors: io_failed, corrupt.
  [[nodiscard]] result<std::vector<stream_id>>
  take_reviews(std::int64_t now_ms, std::size_t count_max) {
    return reviews_.take(now_ms, count_max, *catalog_);
  }
  /// When the next one is due, ms since 1970. Errors: io_failed, corrupt.
  [[nodiscard]] result<std::optional<std::int64_t>> next_review() const {
    return reviews_.next(*catalog_);
  }
  /// Whether the next one came forward since this was asked last.
  [[nodiscard]] bool earlier_review() noexcept { return reviews_.earlier(); }

  // -- checkpoint: begin, then collect and saved until nothing is left -------

  /// Rows that are dirty now belong to the checkpoint that begins.
  void begin_checkpoint();
  /// The next rows of the checkpoint, at most `count_max`; empty at the end.
  [[nodiscard]] std::vector<catalog_change> collect(std::size_t count_max);
  /// What was collected last is in the catalog, or (false) could not be saved.
  void saved(bool success);

  /// Fetches what finding a stream in memory takes.
  void prefetch(stream_id id) const { ids_.prefetch(id); }

  /// Fetches a row into the cache, to be changed.
  void prefetch(row_index at) const {
    const auto* row = reinterpret_cast<const char*>(&rows_[at]);
    for (std::size_t line = 0; line < sizeof(record_row); line += 64)
      __builtin_prefetch(row + line, 1);
  }

  /// The row of a stream that is in memory, else `none`. Reads no catalog.
  [[nodiscard]] row_index in_memory(stream_id id) const {
    return ids_.find(id);
  }
  [[nodiscard]] std::size_t in_memory() const noexcept { return rows_.used(); }
  /// Streams that the catalog does not have yet.
  [[nodiscard]] std::size_t unlisted() const noexcept { return names_.size(); }
  [[nodiscard]] std::size_t dirty() const noexcept { return dirty_.size(); }

private:
  [[nodiscard]] row_index insert(stream_id id, stream_record record);
  [[nodiscard]] bool is_buried(stream_id id) const;
  [[nodiscard]] bool is_beyond(stream_id id) const noexcept;
  void note_retention(row_index at, const block_view& block,
                      sequence next_before, std::int64_t last_before);
  void mark_dirty(row_index at);
  void mark_clean(row_index at);
  void erase(row_index at);

  std::unique_ptr<catalog_reader> catalog_;
  std::uint32_t shard_;
  std::uint32_t shards_;
  std::uint32_t cache_max_;
  retention_rules rules_;
  review_queue reviews_;
  slab<record_row> rows_;
  id_map ids_;
  std::map<std::string, stream_id, std::less<>> names_; ///< Of fresh rows.
  std::array<std::uint64_t, slots> numbers_{};
  std::vector<row_index> dirty_;
  std::vector<row_index> checkpoint_; ///< Not collected yet.
  std::vector<row_index> saving_;     ///< Collected, not saved yet.
  std::size_t clean_ = 0;
  std::uint64_t pinned_from_ = 1;
  std::uint64_t deleted_bytes_ = 0;
  row_index hand_ = 0;
};

} // namespace torpor
