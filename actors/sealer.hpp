// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"
#include "runtime/catalog.hpp"
#include "runtime/disk.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_seal.hpp"
#include "runtime/merge_plan.hpp"
#include "runtime/segment_list.hpp"
#include "torpor/options.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace torpor {

/// Prepares journal files and seals full ones, so that neither the journal nor a
/// shard waits for it.
struct sealer_state {
  static inline const char* name = "sealer";

  /// What the sealer works on; lives in the store.
  struct tools {
    disk* files = nullptr;
    catalog* records = nullptr;
    std::shared_ptr<torpor::journal> file; ///< For `prepare` only.
    journal_config journal;
    std::string segment_directory;
    segment_options segments;
    catalog_state state;
    std::shared_ptr<const segment_list> list;
    std::uint32_t kept_before = 0; ///< See `store`.
  };

  sealer_state() = default;
  sealer_state(const sealer_state&) = delete;
  sealer_state& operator=(const sealer_state&) = delete;
  ~sealer_state();

  /// Takes over what the store knows.
  void begin(tools given, std::shared_ptr<roster> others);
  void prepare(std::uint32_t number);
  void seal(std::uint32_t last, std::uint64_t frame_end,
            std::function<void()> done);
  void saved(std::vector<catalog_change>& changes);
  void merged(std::shared_ptr<merge_job> job);
  void compact(std::function<void(result<void>)> done);
  void save();
  void sweep();
  void known();
  void shrink(std::uint32_t shard, std::uint64_t steps);

  sealer_actor::pointer self = nullptr;
  std::shared_ptr<roster> all;
  tools work;

private:
  void next();
  [[nodiscard]] result<bool> seal_enough();
  [[nodiscard]] result<void> seal(const seal_range& range);
  void retry();
  void note_refusal(const error& why);
  void start_checkpoint();
  void collect(bool success);
  void finish_checkpoint();
  [[nodiscard]] result<void> store_state();
  void publish();
  void tell_size() const;
  void failed(const error& why);
  void rest();

  // sealer_merge.cpp
  void idle();
  [[nodiscard]] bool sweep_due();
  void start_sweep();
  void make_room();
  void pass_over(const merge_job& job);
  void take_swept(merge_job& job);
  [[nodiscard]] merge_range choose();
  void start_merge(merge_range range);
  void configure(merge_job& job);
  void take(merge_job& job);
  [[nodiscard]] bool replace(const std::vector<std::uint64_t>& gone,
                             const segment_summary* made);
  void remove_merged();
  void go_on_compacting();
  void end_compaction(const result<void>& outcome);
  void end_compactions(const result<void>& outcome);

  bool busy_ = false;            ///< Sealing, saving or telling the shards.
  bool save_ = false;            ///< A checkpoint has to begin before it rests.
  bool full_ = false;            ///< A write failed; until a file is prepared.
  bool seal_failed_ = false;     ///< Until `retry` or the next full file.
  std::uint32_t last_ = 0;       ///< Files up to this one can be sealed.
  std::uint64_t frame_end_ = 0;  ///< Where their frames end, if it is known.
  catalog_state next_;           ///< What the running checkpoint will store.
  std::uint32_t shard_ = 0;      ///< Whose records are being collected.
  std::vector<std::function<void()>> done_;

  // Deleted bytes, counted as in the roster:
  std::uint64_t counted_ = 0;    ///< When the last checkpoint began.
  std::uint64_t looked_ = 0;     ///< When the last sweep's checkpoint began.
  std::uint64_t filled_ = 0;     ///< When the newest full file came.
  std::uint64_t sealed_ = 0;     ///< When the newest sealed file came.
  std::uint64_t swept_ = 0;      ///< What a sweep has surely seen.

  bool begun_ = false; ///< Merges may begin: this is no short opening.
  bool sweep_ = false;                ///< To begin when the records are saved.
  bool sweep_missed_ = false;         ///< They could not be.
  bool merging_ = false;              ///< The merger is at work.
  std::set<std::uint64_t> damaged_;   ///< Segments that cannot be merged.
  bool merge_failed_ = false;         ///< Until `retry`.
  std::shared_ptr<merge_job> merged_; ///< Done, and not listed yet.
  std::vector<std::uint64_t> wasteful_; ///< Segments to be rewritten.
  std::vector<std::string> obsolete_;   ///< Files to remove.

  using answers = std::vector<std::function<void(result<void>)>>;
  std::optional<compaction> compaction_; ///< Under way, the records are saved.
  answers compacted_;                    ///< Who waits for it.
  answers asked_;                        ///< Who waits for the next one.
};

sealer_actor::behavior_type
sealer(sealer_actor::stateful_pointer<sealer_state> self,
       sealer_state::tools work, std::shared_ptr<roster> all);

} // namespace torpor
