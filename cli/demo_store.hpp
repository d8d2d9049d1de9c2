// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/child_process.hpp"
#include "cli/demo_lines.hpp"
#include "cli/demo_log.hpp"
#include "cli/demo_proof.hpp"
#include "torpor/runtime.hpp"

#include <cstdint>
#include <string>

namespace torpor {

/// What the demo and its store have in common.
struct demo_world {
  std::string data_dir;
  std::uint32_t streams;
  const line_stock& lines;
  request_log& log;

  /// The n-th stream: a file of some replica.
  [[nodiscard]] std::string name(std::uint64_t stream) const;
};

/// What the demo asks of the process that runs the store.
enum class demo_command : std::uint8_t {
  create, ///< Make all streams; answered with result<double>: seconds.
  burst,  ///< Append as fast as it goes from now on. No answer.
  stats,  ///< Answered with runtime_stats.
  rest,   ///< No more appends; answered with runtime_stats when all sleep.
  prove,  ///< Read everything; answered with result<proof_figures>.
  close,  ///< Close the store and end.
};

/// How the store started; the first that its process says, as a result.
struct demo_start {
  double ms = 0;
  std::uint64_t replayed_entries = 0;
};

/// The process that runs the store: opens it and does what it is told, until
/// it is told to close or nobody tells it anything any more. Its exit code.
[[nodiscard]] int run_demo_store(const demo_world& world, channel& link);

/// Reads all streams of the world and compares them with its log.
[[nodiscard]] result<proof_figures> prove(const runtime& store,
                                          const demo_world& world);

} // namespace torpor
