// SPDX-License-Identifier: Apache-2.0
#pragma once

// For hosts that are actors themselves. What is sent here never crosses the
// network: it hands memory from actor to actor of one process.

#include "torpor/handoff.hpp"
#include "torpor/read.hpp"
#include "torpor/write_batch.hpp"

#include <caf/all.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace torpor {

class engine;
class stream_table;

/// Fails every request of a batch that no shard took, and gives it back.
void dropped(std::unique_ptr<write_batch> batch);
/// Fails a read that no shard took.
void dropped(std::unique_ptr<read_request> request);

/// What happened to blocks in the journal; only shards and the journal use it.
struct commit_report;
/// A question to a shard's table, answered in the shard's thread.
using table_task = std::function<void(stream_table&)>;

} // namespace torpor

CAF_BEGIN_TYPE_ID_BLOCK(torpor, first_custom_type_id + 7000)

  CAF_ADD_ATOM(torpor, torpor, write_atom, "tp_write")
  CAF_ADD_ATOM(torpor, torpor, read_atom, "tp_read")
  CAF_ADD_ATOM(torpor, torpor, cancel_atom, "tp_cancel")
  CAF_ADD_ATOM(torpor, torpor, ask_atom, "tp_ask")
  CAF_ADD_ATOM(torpor, torpor, due_atom, "tp_due")
  CAF_ADD_ATOM(torpor, torpor, committed_atom, "tp_commit")
  CAF_ADD_ATOM(torpor, torpor, full_atom, "tp_full")

CAF_END_TYPE_ID_BLOCK(torpor)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(torpor::handoff<torpor::write_batch>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(torpor::handoff<torpor::read_request>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(torpor::table_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<torpor::stream_id>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const torpor::error>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<torpor::commit_report>)

namespace torpor {

/// SHARD: owns the streams of its slots: takes writes and reads, wakes and
/// hibernates streams. `shard_for` says which shard a stream has.
using shard_actor = caf::typed_actor<
  // Writes for streams of this shard. The batch goes back to its sink when
  // every request has an outcome. No reply.
  caf::reacts_to<write_atom, handoff<write_batch>>,
  // A read of a stream of this shard. The answer goes to its sink. No reply.
  caf::reacts_to<read_atom, handoff<read_request>>,
  // Ends a waiting read by its ticket: it is answered with an empty page.
  caf::reacts_to<cancel_atom, std::uint64_t>,
  // INTERNAL: a question about the shard's streams.
  caf::reacts_to<ask_atom, table_task>,
  // INTERNAL, from the scheduler: deadlines that have passed.
  caf::reacts_to<due_atom, std::vector<stream_id>>,
  // INTERNAL, from the journal: blocks that are durable, or failed.
  caf::reacts_to<committed_atom, std::shared_ptr<commit_report>>,
  // INTERNAL, from the journal: the disk is full (why), or not any more (null).
  caf::reacts_to<full_atom, std::shared_ptr<const error>>>;

/// The shard that owns the stream of a name, existing or not, of
/// `runtime::engine`. It stays the same while the store is open. Not to be
/// called any more when the runtime is being closed; a copy may be kept, what
/// is sent to it then is answered with shut_down. Threads: any.
[[nodiscard]] const shard_actor& shard_for(const engine& engine,
                                           std::string_view name);

} // namespace torpor
