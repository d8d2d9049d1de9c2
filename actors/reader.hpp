// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"
#include "runtime/block_reader.hpp"

#include <memory>

namespace torpor {

/// Fetches old entries, so that a slow disk holds up no shard.
struct reader_state {
  static inline const char* name = "reader";

  void read(std::unique_ptr<read_job> job);

  reader_actor::pointer self = nullptr;
  std::shared_ptr<roster> all;
  std::unique_ptr<block_reader> blocks;
};

reader_actor::behavior_type
reader(reader_actor::stateful_pointer<reader_state> self,
       std::shared_ptr<torpor::disk> disk, std::string journal_directory,
       std::shared_ptr<roster> all);

} // namespace torpor
