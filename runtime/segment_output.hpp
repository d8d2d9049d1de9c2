// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/aligned_buffer.hpp"
#include "runtime/disk.hpp"

#include <memory>

namespace torpor {

/// Appends to a new file in large pieces that are fit for direct I/O.
/// After an error only destroy it. Threads: one owner.
class segment_output {
public:
  /// Bytes of all pieces but the last.
  static constexpr std::size_t piece_bytes = 512u << 10;

  explicit segment_output(std::unique_ptr<file> into);

  /// Errors: io_failed.
  [[nodiscard]] result<void> append(bytes_view bytes);

  /// Writes what is left and makes everything durable. Errors: io_failed.
  [[nodiscard]] result<void> finish();

  /// Bytes appended so far.
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return written_ + filled_;
  }

private:
  [[nodiscard]] result<void> write_piece();

  std::unique_ptr<file> file_;
  aligned_buffer buffer_;
  std::size_t filled_ = 0; ///< Bytes that wait in the buffer.
  std::uint64_t written_ = 0;
};

} // namespace torpor
