// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"
#include "runtime/catalog.hpp"
#include "runtime/disk.hpp"

#include <memory>
#include <string>

namespace torpor {

/// Merges segments on a thread of its own, which yields to all others.
struct merger_state {
  static inline const char* name = "merger";

  /// What the merger works with; lives in the store.
  struct tools {
    disk* files = nullptr;
    catalog* records = nullptr;
    std::string segment_directory;
    bool own_thread = true;
  };

  void work(merge_job& job);

  merger_actor::pointer self = nullptr;
  std::shared_ptr<roster> all;
  tools with;
};

merger_actor::behavior_type
merger(merger_actor::stateful_pointer<merger_state> self,
       merger_state::tools with, std::shared_ptr<roster> all);

} // namespace torpor
