// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/batch_sender.hpp"
#include "cli/latency_histogram.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace torpor {

/// Random numbers that cost a nanosecond (splitmix64). Threads: one owner.
class quick_random {
public:
  explicit quick_random(std::uint64_t seed) : state_(seed) {}

  /// From 0 to below `bound` (1 to 2^32), evenly.
  std::uint64_t below(std::uint64_t bound) {
    state_ += 0x9e3779b97f4a7c15;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return (z >> 32) * bound >> 32;
  }

private:
  std::uint64_t state_;
};

/// What a producer appends. Each producer has its own. Threads: one owner.
class load_source {
public:
  struct item {
    stream_id stream{};
    bytes_view payload; ///< Valid until the next call.
    std::uint64_t tag = 0;
  };

  virtual ~load_source() = default;
  /// The next append; none when there are no more.
  virtual std::optional<item> next() = 0;
  /// It has been acknowledged.
  virtual void acknowledged(std::uint64_t tag, const write_outcome& outcome) {
    static_cast<void>(tag);
    static_cast<void>(outcome);
  }
};

struct load_options {
  std::uint32_t batch_max = 256;  ///< Appends in one message.
  std::uint64_t in_flight = 4096; ///< Appends without an answer, of all producers.
  torpor::ack ack = torpor::ack::durable;
};

/// Keeps a store busy: a thread per source, each with its part of the appends
/// in flight. As many as were answered are sent anew, at once, so batches come
/// about as they do with independent clients.
/// Threads: one owner; the figures any.
class load_generator {
public:
  load_generator(engine& store, const load_options& how,
                 std::vector<std::unique_ptr<load_source>> sources);
  ~load_generator();

  /// Answers from now on are measured.
  void measure();
  /// Ends the measurement, then the load; returns when all is answered.
  void stop();

  /// Acknowledged appends, since the start.
  [[nodiscard]] std::uint64_t acknowledged() const;

  // -- after `stop` ----------------------------------------------------------

  /// Measured time, s.
  [[nodiscard]] double seconds() const;
  /// Appends acknowledged in that time with their latencies.
  [[nodiscard]] latency_histogram latencies() const;
  /// Appends refused in that time; those with `overloaded` were tried again.
  [[nodiscard]] std::uint64_t errors() const;
  /// CPU time of the producers in all, ns.
  [[nodiscard]] std::uint64_t cpu_ns() const;
  /// What ended a producer early, if anything.
  [[nodiscard]] std::optional<error> failure() const;

private:
  struct producer;

  /// Of the flight's clock, ns.
  std::atomic<std::int64_t> measure_from_;
  std::atomic<std::int64_t> measure_to_;
  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<producer>> producers_;
};

} // namespace torpor
