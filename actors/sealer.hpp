// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"
#include "runtime/catalog.hpp"
#include "runtime/disk.hpp"
#include "runtime/journal.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace torpor {

/// Prepares journal files and saves changed records, so that neither the
/// journal nor a shard waits for it.
struct sealer_state {
  static inline const char* name = "sealer";

  /// What the sealer works on; lives in the store.
  struct tools {
    disk* files = nullptr;
    catalog* records = nullptr;
    journal_config journal;
    catalog_state state;
  };

  void prepare(std::uint32_t number);
  void save(std::uint32_t journal_first, std::function<void()> done);
  void saved(std::vector<catalog_change>& changes);

  sealer_actor::pointer self = nullptr;
  std::shared_ptr<roster> all;
  tools work;

private:
  void start_checkpoint();
  void collect(bool success);
  void finish_checkpoint();
  void end_checkpoint(bool success);

  bool saving_ = false;
  std::uint32_t shard_ = 0;          ///< Whose records are being collected.
  std::uint32_t goal_ = 0;           ///< Of the checkpoint that runs.
  std::uint32_t wanted_ = 0;         ///< Of the next one; 0: none.
  std::vector<std::function<void()>> done_;
  std::vector<std::function<void()>> waiting_;
};

sealer_actor::behavior_type
sealer(sealer_actor::stateful_pointer<sealer_state> self,
       sealer_state::tools work, std::shared_ptr<roster> all);

} // namespace torpor
