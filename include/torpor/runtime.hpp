// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/options.hpp"
#include "torpor/read.hpp"
#include "torpor/stream.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caf {
class actor_system;
}

namespace torpor {

class engine;

/// Figures of a running store. Counters run from the start of the process.
struct runtime_stats {
  std::uint64_t appends = 0;        ///< Accepted entries.
  std::uint64_t refused = 0;        ///< Requests answered with an error.
  std::uint64_t wakes = 0;
  std::uint64_t hibernates = 0;
  std::uint64_t commits = 0;        ///< Frames, one `fdatasync` each.
  std::uint64_t blocks = 0;         ///< Syncs of single streams in them.
  std::uint64_t acked_bytes = 0;    ///< Payload made durable.
  std::uint64_t written_bytes = 0;  ///< Written to the journal, all included.
  std::uint64_t awake = 0;          ///< Streams with something in memory, now.
  std::uint64_t records = 0;        ///< Records in memory, now.
  std::uint64_t catalog = 0;        ///< Streams in the catalog, now.
  std::uint64_t streams = 0;        ///< There are, now; about so while a checkpoint runs.
  std::uint64_t buffered_bytes = 0; ///< Of the memory budget, now.
  std::uint64_t replayed_entries = 0; ///< At the start.
  std::uint64_t buffered_bytes_max = 0; ///< memory.buffered-bytes-max.
  std::uint64_t committed_entries = 0; ///< Made durable.
  std::uint64_t waiting_reads = 0;  ///< At the tail, now.
  std::uint64_t deadlines = 0;      ///< In the timing wheel, now.
  std::uint64_t segments = 0;       ///< Files, now.
  std::uint64_t segment_bytes = 0;  ///< On disk, now.
  bool failed = false;              ///< Durability is lost: writes are refused.
  bool full = false;                ///< The disk is full: appends are refused.
};

/// A store in this process: the way in for programs without actors.
/// Threads: any, for all members; `close` and the destructor once.
class runtime {
public:
  /// Opens the store, making it when it is missing, in an actor system of its
  /// own with Torpor's work-stealing pool. Errors: invalid_argument (an
  /// option), locked, incompatible, corrupt, io_failed (also when the process
  /// may not start so many threads, or has too little address space).
  /// A write beyond `ulimit -f` raises SIGXFSZ, which ends a process: a host
  /// with such a limit ignores the signal, and gets io_failed.
  [[nodiscard]] static result<runtime> open(options given);

  /// The same in the host's actor system, which keeps its own pool and must
  /// outlive the runtime; `pool.workers` is not used. docs/pool.md says what
  /// that costs.
  [[nodiscard]] static result<runtime> open(options given,
                                            caf::actor_system& host);

  runtime(runtime&&) noexcept;
  runtime& operator=(runtime&&) noexcept;
  ~runtime();

  /// Makes everything durable, saves a checkpoint and ends all actors. Calls
  /// that come later are answered with shut_down.
  void close();

  /// A handle to a stream; touches nothing yet.
  [[nodiscard]] torpor::stream stream(std::string name) const;

  /// Makes a stream, durably. Errors: already_exists, invalid_argument.
  [[nodiscard]] std::future<result<stream_id>>
  create(std::string name, const create_options& how = {});

  /// Makes a stream that begins with the entries of another before `at` (at
  /// most its next sequence), durably; both go their own ways from there. The
  /// content type is the source's. While forks live a deleted source's entries
  /// stay, for them; its name is not free until then (gone).
  /// Errors: not_found, out_of_range and gone (the source), already_exists,
  /// mismatch (`how.content_type` is another), invalid_argument.
  [[nodiscard]] std::future<result<stream_id>>
  fork(std::string name, stream_ref source, sequence at,
       const create_options& how = {});

  /// Up to `count_max` streams (1 to 100,000) whose names start with `prefix`
  /// and come after `after`, in byte order. The last name is the next `after`.
  /// Deleted streams that stay for their forks are left out.
  [[nodiscard]] std::future<
    result<std::vector<std::pair<std::string, stream_id>>>>
  list(std::string prefix, std::string after, std::size_t count_max);

  /// Makes everything durable that was appended before.
  [[nodiscard]] std::future<result<void>> sync();

  /// Merges all segments into one, so that what was deleted or truncated before
  /// the call leaves them. Appends and reads go on, and what is sealed meanwhile
  /// stays apart.
  /// Errors: io_failed, corrupt, shut_down.
  [[nodiscard]] std::future<result<void>> compact();

  [[nodiscard]] runtime_stats stats() const;

  /// For what has no method here: batches, reads with a sink of their own,
  /// and hosts that are actors.
  [[nodiscard]] const std::shared_ptr<torpor::engine>& engine() const noexcept {
    return engine_;
  }

private:
  explicit runtime(std::shared_ptr<torpor::engine> engine);

  std::shared_ptr<torpor::engine> engine_;
};

} // namespace torpor
