// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"
#include "runtime/catalog.hpp"
#include "runtime/disk.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_seal.hpp"
#include "runtime/segment_list.hpp"
#include "torpor/options.hpp"

#include <functional>
#include <memory>
#include <optional>
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
    journal_config journal;
    std::string segment_directory;
    segment_options segments;
    catalog_state state;
    std::shared_ptr<const segment_list> list;
  };

  void prepare(std::uint32_t number);
  void seal(std::uint32_t last, std::uint64_t frame_end,
            std::function<void()> done);
  void saved(std::vector<catalog_change>& changes);
  void merged(std::shared_ptr<merge_job> job);
  void compact(std::function<void(result<void>)> done);
  void known();
  void shrink(std::uint32_t shard, std::uint64_t steps);

  sealer_actor::pointer self = nullptr;
  std::shared_ptr<roster> all;
  tools work;

private:
  void next();
  [[nodiscard]] result<std::optional<seal_range>> enough();
  [[nodiscard]] result<void> seal(const seal_range& range);
  void start_checkpoint();
  void collect(bool success);
  void finish_checkpoint();
  void publish();
  void failed(const error& why);
  void rest();
  void idle();
  [[nodiscard]] merge_range choose();
  [[nodiscard]] merge_range choose_compact();
  void start_merge(merge_range range);
  void take_merged();
  void compacted(const result<void>& outcome);
  void remove_merged();

  bool busy_ = false;
  std::uint32_t last_ = 0;       ///< Files up to this one can be sealed.
  std::uint64_t frame_end_ = 0;  ///< Where their frames end, if it is known.
  catalog_state next_;           ///< What the running checkpoint will store.
  std::uint32_t shard_ = 0;      ///< Whose records are being collected.
  std::vector<std::function<void()>> done_;
  bool merging_ = false;              ///< The merger is at work.
  bool merge_failed_ = false;         ///< Until the next seal.
  std::shared_ptr<merge_job> merged_; ///< Done, and not listed yet.
  std::vector<std::uint64_t> wasteful_; ///< Segments to be rewritten.
  std::uint64_t swept_ = 0; ///< Deleted entries when they were looked for.
  std::vector<std::string> obsolete_; ///< Files to remove.
  std::vector<std::function<void(result<void>)>> compacted_;
  std::size_t compact_at_ = 0; ///< Next segment of the running pass.
  bool compact_did_ = false;   ///< Something was merged in it.
};

sealer_actor::behavior_type
sealer(sealer_actor::stateful_pointer<sealer_state> self,
       sealer_state::tools work, std::shared_ptr<roster> all);

} // namespace torpor
