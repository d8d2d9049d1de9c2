// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/shared_memory.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace torpor {

/// Every append that was asked of the demo's store, and every answer. It lies
/// in shared memory: whoever kills the process that runs the store still has
/// it. A request is noted before it is sent, its answer after it came.
/// Threads: one writes; any reads what is finished.
class request_log {
public:
  struct request {
    std::uint32_t stream; ///< The demo's own number.
    std::uint32_t line;   ///< The same: what was to be appended.
    std::optional<sequence> acknowledged;
  };

  /// For up to `capacity` requests. Errors: io_failed.
  [[nodiscard]] static result<request_log> make(std::size_t capacity);

  /// The number of the noted request; none when the log is full.
  [[nodiscard]] std::optional<std::uint64_t> sent(std::uint32_t stream,
                                                  std::uint32_t line);
  void acknowledged(std::uint64_t number, sequence place);

  /// Requests that were noted.
  [[nodiscard]] std::size_t size() const noexcept { return head().size; }
  /// Of them: with an answer.
  [[nodiscard]] std::size_t answers() const noexcept {
    return head().answers;
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] request at(std::size_t number) const;

private:
  /// At the front of the memory.
  struct header {
    std::atomic<std::size_t> size;
    std::atomic<std::size_t> answers;
  };
  struct slot {
    std::uint32_t stream;
    std::uint32_t line;
    std::atomic<std::uint32_t> next; ///< Sequence and 1; 0: no answer.
  };
  static_assert(std::atomic<std::size_t>::is_always_lock_free);
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

  request_log(shared_memory memory, std::size_t capacity)
    : memory_(std::move(memory)), capacity_(capacity) {}

  [[nodiscard]] header& head() const noexcept;
  [[nodiscard]] slot& slot_at(std::size_t number) const noexcept;

  shared_memory memory_;
  std::size_t capacity_;
};

} // namespace torpor
