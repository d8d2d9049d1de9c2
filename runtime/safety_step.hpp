// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace torpor {

/// What the promise that nothing is lost stands on. A build with the CMake
/// option TORPOR_MUTANTS can leave out one step, the one that the environment
/// variable TORPOR_WITHOUT names: scripts/mutants sees the tests fail without
/// each. Every other build does them all and asks nobody.
enum class safety_step : std::uint8_t {
  // Of the journal.
  journal_sync,       ///< A frame is synced.
  answer_after_sync,  ///< Acknowledged and shown after the sync, not before.
  prepare_sync,       ///< A new file's zeros are synced before it is used.
  prepared_name_sync, ///< Its name is synced before it is used.
  fence,              ///< After a failed sync goes on in another file.
  idle_mark,          ///< A last frame says that the one before was durable.
  // Of recovery.
  tail_rewrite,       ///< The last frame found is written again.
  tail_sync,          ///< And synced.
  spare_rename,       ///< The spare gets its name again.
  frame_chain,        ///< A frame knows the checksum of the one before.
  frame_store,        ///< A frame of another store is none.
  // Of sealing and merging.
  segment_sync,       ///< A segment is synced before it is listed.
  segment_name_sync,  ///< And its name.
  removal_order,      ///< Journal files go one by one, the oldest first.
  checkpoint_order,   ///< Journal files go when the catalog has their records.
  catalog_sync,       ///< The catalog's transactions are synced.
  // Of every file.
  file_sync,          ///< A sync is an fdatasync.
  name_sync,          ///< A directory's sync is an fsync.
  failed_file,        ///< A file that failed is not written and synced again.
  identity_sync,      ///< The store's identity is synced before it is named.
  lock,               ///< A store has one writer.
  // Of what is read: checksums.
  frame_head_checksum,
  frame_payload_checksum,
  block_checksum,
  segment_head_checksum,
  segment_footer_checksum,
  segment_page_checksum,
  segment_chunk_checksum,
  catalog_checksum,
  // Of answers.
  deduplication,      ///< A producer's request that comes again is no new one.
  // Of the tests.
  oracle,             ///< Compares what a store has with what it answered.
};

inline constexpr std::size_t safety_steps
  = static_cast<std::size_t>(safety_step::oracle) + 1;

/// Whether this build does a step: always, but for mutants.
/// Threads: any.
[[nodiscard]] bool does(safety_step step) noexcept;

/// Does a step, which returns a `result<void>`.
template <class Call>
[[nodiscard]] auto in_step(safety_step step, Call call) {
  return does(step) ? call() : decltype(call()){};
}

} // namespace torpor
