// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace torpor::test {

/// The system calls by which a store changes its files.
enum class system_call : std::uint8_t {
  open,
  write,
  sync,
  truncate,
  rename,
  unlink,
  make_directory,
};
inline constexpr std::size_t system_calls = 7;

[[nodiscard]] std::string to_string(system_call call);

/// What happens in a call instead of what was asked for.
enum class mishap : std::uint8_t {
  kill_before, ///< The process is killed, and nothing is done.
  kill_within, ///< Half of a write is done; of other calls all.
  kill_after,  ///< It is done, and the process is killed.
  fail,        ///< Nothing is done (of a failed write half) but once.
  fail_always, ///< The same, and all later calls of its kind fail as well.
  cut_short,   ///< A write writes half and says so; other calls are as ever.
};

/// The nth call of this process that changes something below a directory, or
/// of one kind, comes to grief.
struct call_plan {
  std::uint64_t nth = 0;           ///< 0: none.
  std::optional<system_call> only; ///< Empty: calls of all kinds count.
  mishap what{};
  int number = 0; ///< errno of a failure.
};

/// Programs that link this have their own `pwrite`, `fdatasync`, `open` and so
/// on, also for the libraries that they use (LMDB, libstdc++): below the
/// directory they are counted and come to grief as planned, elsewhere they do
/// what libc's do. A sync that fails so has lost nothing: what it would have
/// lost is the simulated disk's matter.
/// `met` is set when the planned call has come.
/// Threads: before others are started.
void watch_calls(const std::string& directory, const call_plan& plan = {},
                 std::atomic<bool>* met = nullptr);

/// From now on nothing comes to grief.
void end_mishaps();

/// How many calls of each kind were counted.
[[nodiscard]] std::array<std::uint64_t, system_calls> counted_calls();

/// What broke a rule in this process (sync_rules::broken).
[[nodiscard]] std::vector<std::string> broken_rules();

/// What was changed and not synced so far (sync_rules::unsynced).
[[nodiscard]] std::vector<std::string> unsynced_changes();

} // namespace torpor::test
