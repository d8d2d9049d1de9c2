// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"
#include "runtime/stream_table.hpp"

#include <memory>
#include <vector>

namespace torpor {

/// Carries out what the table of streams decides. The only one that wakes,
/// hibernates and routes: no append can get lost between the two states.
struct shard_state {
  static inline const char* name = "shard";

  void write(std::unique_ptr<write_batch> batch);
  void read(std::unique_ptr<read_request> request);
  void committed(const commit_report& report);
  /// Sends what the table wants done.
  void flush();

  shard_actor::pointer self = nullptr;
  stream_table* table = nullptr; ///< The store's; only this actor touches it.
  std::shared_ptr<roster> all;
  /// Stream actors of awake streams, by awake index.
  std::vector<caf::strong_actor_ptr> awake;
  /// Stream actors without a stream, for the next that wake.
  std::vector<caf::strong_actor_ptr> parked;
  std::size_t next_reader = 0;

private:
  void wake(std::uint32_t at);
  void hibernate(std::uint32_t at);
};

shard_actor::behavior_type
shard(shard_actor::stateful_pointer<shard_state> self, stream_table* table,
      std::shared_ptr<roster> all);

} // namespace torpor
