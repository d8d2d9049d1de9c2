// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "runtime/merge_plan.hpp"
#include "runtime/pending_block.hpp"
#include "runtime/segment_list.hpp"
#include "runtime/segment_writer.hpp"
#include "runtime/stream_table.hpp"
#include "torpor/messages.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace torpor {

/// Blocks of one shard whose commit has finished.
struct commit_report {
  std::vector<pending_block*> blocks;
  std::optional<error> failure; ///< None: they are durable.
  bool no_room = false; ///< Only these failed: the disk was full.
  std::vector<pending_block*> held; ///< Still with the journal, for want of room.
};

/// A journal file that the sealer made, or why it could not.
struct prepared_file {
  std::uint32_t number = 0;
  result<std::unique_ptr<file>> made;
};

/// A merge, or a sweep for what is dead: what to do, and what became of it.
struct merge_job {
  std::shared_ptr<const segment_list> list;
  merge_range range;     ///< Of the list; empty: a sweep.
  segment_config config; ///< Of the new segment.
  std::uint64_t deleted_bytes = 0; ///< Deletes that the records know of.
  std::optional<result<segment_summary>> merged;
  bool swept = false; ///< The sweep went to the end.
  std::vector<std::uint64_t> dead;     ///< Numbers of segments without a live byte.
  double live_max = 0.5; ///< Most of a segment that may be alive to be worth it.
  std::vector<std::uint64_t> wasteful; ///< Of others; the least alive is the last.
  std::vector<std::uint64_t> damaged;  ///< Of those that cannot be merged.
};

/// Fails a read that no reader took.
inline void dropped(std::unique_ptr<read_job> job) {
  if (job->request)
    dropped(std::move(job->request));
}
/// A file that nobody wants is only closed.
inline void dropped(std::unique_ptr<prepared_file>) {}

} // namespace torpor

CAF_BEGIN_TYPE_ID_BLOCK(torpor_internal, first_custom_type_id + 7100)

  CAF_ADD_ATOM(torpor_internal, torpor, sync_atom, "tp_sync")
  CAF_ADD_ATOM(torpor_internal, torpor, arm_atom, "tp_arm")
  CAF_ADD_ATOM(torpor_internal, torpor, wheel_atom, "tp_wheel")
  CAF_ADD_ATOM(torpor_internal, torpor, commit_atom, "tp_go")
  CAF_ADD_ATOM(torpor_internal, torpor, later_atom, "tp_later")
  CAF_ADD_ATOM(torpor_internal, torpor, spare_atom, "tp_spare")
  CAF_ADD_ATOM(torpor_internal, torpor, prepare_atom, "tp_prepare")
  CAF_ADD_ATOM(torpor_internal, torpor, seal_atom, "tp_seal")
  CAF_ADD_ATOM(torpor_internal, torpor, save_atom, "tp_save")
  CAF_ADD_ATOM(torpor_internal, torpor, saved_atom, "tp_saved")
  CAF_ADD_ATOM(torpor_internal, torpor, known_atom, "tp_known")
  CAF_ADD_ATOM(torpor_internal, torpor, shrunk_atom, "tp_shrunk")
  CAF_ADD_ATOM(torpor_internal, torpor, forget_atom, "tp_forget")
  CAF_ADD_ATOM(torpor_internal, torpor, merge_atom, "tp_merge")
  CAF_ADD_ATOM(torpor_internal, torpor, merged_atom, "tp_merged")
  CAF_ADD_ATOM(torpor_internal, torpor, sweep_atom, "tp_sweep")
  CAF_ADD_ATOM(torpor_internal, torpor, compact_atom, "tp_compact")
  CAF_ADD_ATOM(torpor_internal, torpor, finish_atom, "tp_finish")

CAF_END_TYPE_ID_BLOCK(torpor_internal)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(torpor::pending_block*)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<torpor::deadline>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(torpor::handoff<torpor::read_job>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(torpor::handoff<torpor::prepared_file>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<std::vector<torpor::catalog_change>>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::function<void()>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<torpor::merge_job>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::function<void(torpor::result<void>)>)

namespace torpor {

/// SCHEDULER: owns the timing wheel: the only place where anything waits for
/// a time.
using scheduler_actor = caf::typed_actor<
  // Sets deadlines. A deadline of stream 0 is the journal's own. No reply.
  caf::reacts_to<arm_atom, std::vector<deadline>>,
  // INTERNAL: the earliest deadline has passed. Fires at most 1,024 streams,
  // then sends itself the rest.
  caf::reacts_to<wheel_atom>>;

/// JOURNAL: writes the blocks of all streams, one frame and one sync at a
/// time. Blocks come through `block_queue`, not through messages.
using journal_actor = caf::typed_actor<
  // The queue was empty and is not any more, or a frame is left to be written.
  caf::reacts_to<commit_atom>,
  // From the scheduler: the journal's own deadline has passed.
  caf::reacts_to<later_atom>,
  // From the sealer: the next file is prepared, or could not be.
  caf::reacts_to<spare_atom, handoff<prepared_file>>,
  // Marks the end, gives unused space back and calls back. The last message.
  caf::reacts_to<finish_atom, std::function<void()>>>;

/// SEALER: does what takes long beside the journal: prepares files and turns
/// full ones into segments, with a checkpoint of the records. One at a time.
using sealer_actor = caf::typed_actor<
  // Prepare the journal file of that number; answered with `spare`.
  caf::reacts_to<prepare_atom, std::uint32_t>,
  // Journal files up to that number will not change any more, and end before
  // that frame (0: where the next file begins). Seals them once they are
  // enough. Calls back when there is nothing left to do, if asked to.
  caf::reacts_to<seal_atom, std::uint32_t, std::uint64_t,
                 std::function<void()>>,
  // From the merger: a merge has ended.
  caf::reacts_to<merged_atom, std::shared_ptr<merge_job>>,
  // From a shard: many records changed without a byte in the journal.
  caf::reacts_to<save_atom>,
  // From a shard: so much is deleted that a sweep is due. From the journal:
  // nothing comes, time for what earlier openings have left.
  caf::reacts_to<sweep_atom>,
  // Merge all segments into one. Calls back when that is done or has failed.
  caf::reacts_to<compact_atom, std::function<void(result<void>)>>,
  // INTERNAL, from a shard: the next changed records; none when it has no more.
  caf::reacts_to<saved_atom, std::shared_ptr<std::vector<catalog_change>>>,
  // INTERNAL: all shards know the new segments.
  caf::reacts_to<known_atom>,
  // INTERNAL, from a shard: it may have rows to give up; steps that are left.
  caf::reacts_to<shrunk_atom, std::uint32_t, std::uint64_t>>;

/// MERGER: merges segments and sweeps them, at low priority, beside everything else.
using merger_actor = caf::typed_actor<
  // Answered with `merged`.
  caf::reacts_to<merge_atom, std::shared_ptr<merge_job>>>;

/// READER: fetches old entries. A few of them share the work.
using reader_actor = caf::typed_actor<
  // Fetches the blocks and gives the page to the request's sink.
  caf::reacts_to<read_atom, handoff<read_job>>,
  // Closes the journal files before that number: they are being removed.
  caf::reacts_to<forget_atom, std::uint32_t>>;

} // namespace torpor
