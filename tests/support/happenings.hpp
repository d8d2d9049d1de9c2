// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace torpor::test {

/// What a simulation is there for: faults, and what they are to hit. A run of
/// many seeds in which one of them never happened shows nothing about it.
enum class happening : std::uint8_t {
  // in the order of disk_call
  failed_open,
  failed_write,
  failed_sync,
  failed_read,
  failed_truncate,
  failed_rename,
  failed_unlink,
  failed_directory_sync,
  failed_make_directory, ///< Only of a store that is being made.
  failed_list,
  // the disk
  full_disk,
  short_write,
  death_in_a_call,
  power_cut,
  lost_write,
  torn_write,       ///< Some of its sectors are on the medium.
  reordered_writes, ///< A later one is there, an earlier one is not.
  size_without_bytes,
  lost_name,
  reordered_names,
  lying_sync,
  lying_directory_sync,
  // the driver
  kill,
  stop,
  death_while_opening,
  failed_checkpoint,
  applied_checkpoint_that_failed,
  clock_jump_forward,
  clock_jump_back,
  // what the engine did meanwhile
  seal,
  merge,
  fork,
  buried_source,
  expired_stream,
  retained_entries, ///< The others went.
  truncation,
  duplicate,
  conflict,
  fenced_producer,
  mismatch,
  closed_stream,
  overload,
  woken_reader,
  refused_opening, ///< After lies: it names the damage.
  named_damage,    ///< After lies: a read names it.
  silent_tail,     ///< After lies: the newest requests are gone.
};

inline constexpr std::array<std::string_view, 46> happening_names{
  "failed open", "failed write", "failed sync", "failed read",
  "failed truncate", "failed rename", "failed unlink", "failed directory sync",
  "failed mkdir", "failed list", "full disk", "short write", "death in a call",
  "power cut", "lost write", "torn write", "reordered writes",
  "size without bytes", "lost name", "reordered names", "lying sync",
  "lying directory sync", "kill", "stop", "death while opening",
  "failed checkpoint", "applied checkpoint that failed", "clock jump forward",
  "clock jump back", "seal", "merge", "fork", "buried source",
  "expired stream", "retained entries", "truncation", "duplicate", "conflict",
  "fenced producer", "mismatch", "closed stream", "overload", "woken reader",
  "refused opening", "named damage", "silent tail"};
static_assert(static_cast<std::size_t>(happening::silent_tail) + 1
              == happening_names.size());

/// Which of them there were, by number.
using happenings = std::bitset<happening_names.size()>;

inline void note(happenings& all, happening one) {
  all.set(static_cast<std::size_t>(one));
}

} // namespace torpor::test
