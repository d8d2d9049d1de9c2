// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/runtime.hpp"
#include "torpor/stream.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace torpor {

/// How an appender batches.
struct appender_options {
  std::uint32_t batch_max = 256;    ///< 1 to 65,536 appends in one message.
  std::uint32_t in_flight_max = 4096; ///< 1 to 1,048,576 appends without an answer.
};

/// Many appends from a program without actors: collects them per shard, sends
/// what came in while the last batch was under way (so it never waits for a
/// batch to fill), and calls back once per append.
/// Threads: any; guarded by a mutex per shard.
class appender {
public:
  /// Called once per append, on a pool thread: be short, never block, never
  /// append from it. `failure` is null for success.
  using acknowledged = std::function<void(
    std::uint64_t tag, const write_outcome& outcome, const error* failure)>;

  appender(const runtime& store, const appender_options& options,
           acknowledged on_ack);
  appender(const appender&) = delete;
  appender& operator=(const appender&) = delete;
  /// Waits for all answers.
  ~appender();

  /// Takes one entry in; its bytes are copied. Blocks while `in_flight_max`
  /// appends are unanswered. `tag` comes back in the answer.
  void append(const stream& to, bytes_view payload,
              const append_options& how = {}, std::uint64_t tag = 0);

  /// Blocks until every append has its answer.
  void wait();

  /// Appends without an answer, now.
  [[nodiscard]] std::uint64_t in_flight() const noexcept;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace torpor
