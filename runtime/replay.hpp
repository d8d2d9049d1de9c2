// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/stream_record.hpp"

namespace torpor {

/// What a durable block means for the record of its stream. Commit and
/// recovery use the same function, so that a restart sees what was running.
/// Removal is the caller's part. Applying a block again changes nothing:
/// a checkpoint may hold a record that is newer than the first replayed block.
/// Returns the bytes of entries that it deletes.
std::uint64_t apply(stream_record& record, const block_view& block);

/// Notes an accepted append in a stream's producers, forgetting the one that
/// was silent longest when there are more than `producers_max`.
void note_producer(std::unique_ptr<producer_table>& producers,
                   const producer_stamp& stamp);

/// Producers that one stream remembers.
inline constexpr std::size_t producers_max = 256;

/// What to do with an idempotent append.
struct producer_verdict {
  enum kind : std::uint8_t { accept, duplicate, refuse } kind = accept;
  producer_answer answer; ///< Of a duplicate; count 0: too old to be known.
  errc code{};            ///< Of a refusal: fenced or conflict.
  std::uint64_t expected = 0; ///< The next number; of fenced the epoch.
};

/// The producer of that id, or null.
[[nodiscard]] const producer_state* find_producer(const producer_table* known,
                                                  std::string_view id);

/// Judges (epoch, number) against what the stream remembers of the producer;
/// null when it never wrote.
[[nodiscard]] producer_verdict judge(const producer_state* state,
                                     std::uint64_t epoch,
                                     std::uint64_t number);

} // namespace torpor
