// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/demo_lines.hpp"
#include "cli/demo_log.hpp"
#include "torpor/read.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace torpor {

/// What came out of comparing a store with the log of requests. Plain, to
/// travel from process to process.
struct proof_figures {
  std::uint64_t acknowledged = 0; ///< Requests.
  std::uint64_t verified = 0;     ///< Of them: there, with identical bytes.
  std::uint64_t verified_bytes = 0;
  std::uint64_t unanswered = 0;   ///< Requests that the crash cut off.
  std::uint64_t kept = 0;         ///< Of them: there, whole, in their stream.
  std::uint64_t streams = 0;      ///< Read from their first entry to their last.
  std::uint64_t missing = 0;      ///< Acknowledged, but not there.
  std::uint64_t different = 0;    ///< Acknowledged, but with other bytes.
  std::uint64_t gaps = 0;         ///< A sequence is not one more than the last.
  std::uint64_t duplicates = 0;   ///< Two requests were given the same place.
  std::uint64_t foreign = 0;      ///< There, but nobody asked for it.

  [[nodiscard]] bool holds() const noexcept {
    return verified == acknowledged && missing == 0 && different == 0
           && gaps == 0 && duplicates == 0 && foreign == 0;
  }
};

/// Compares all that a store has with all that was asked of it.
/// Threads: one owner.
class demo_proof {
public:
  /// For streams 0 to `streams` - 1; both others must outlive it.
  demo_proof(const request_log& log, const line_stock& lines,
             std::size_t streams);

  /// The next entries of a stream; its pages come in order.
  void check(std::uint32_t stream, const std::vector<entry_view>& entries);
  /// The stream has no more.
  void finish(std::uint32_t stream);

  [[nodiscard]] const proof_figures& figures() const noexcept {
    return figures_;
  }

private:
  /// A request that got no answer. Whether it was carried out, nobody knows.
  struct cut_off {
    std::uint32_t stream;
    std::uint32_t line;
    bool found = false;
  };

  void place_requests();
  void check_entry(std::uint32_t stream, const entry_view& entry);
  [[nodiscard]] bool take_cut_off(std::uint32_t stream, bytes_view payload);

  const request_log& log_;
  const line_stock& lines_;
  /// Where the places of a stream begin in `expected_`; one more at the end.
  std::vector<std::size_t> begins_;
  /// By stream and sequence: the acknowledged line and 1; 0: none.
  std::vector<std::uint32_t> expected_;
  std::vector<std::uint64_t> next_; ///< By stream: the sequence to come.
  std::vector<cut_off> cut_off_;    ///< Sorted by stream.
  proof_figures figures_;
};

} // namespace torpor
