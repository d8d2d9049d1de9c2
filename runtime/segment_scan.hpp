// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/byte_buffer.hpp"
#include "runtime/chunk_cursor.hpp"
#include "runtime/segment.hpp"
#include "runtime/segment_page.hpp"

#include <memory>
#include <optional>

namespace torpor {

/// Reads neighbouring parts of a segment in larger pieces.
/// Threads: one owner.
class segment_window {
public:
  /// Bytes of a read, unless one part alone is larger or the end is nearer.
  static constexpr std::size_t piece_bytes = 512u << 10;

  explicit segment_window(std::shared_ptr<const segment> from)
    : from_{std::move(from)} {}

  /// The bytes from `begin` to `end`; parts up to `last` are wanted later.
  /// Good until the next call. Errors: corrupt, io_failed.
  [[nodiscard]] result<bytes_view> read(std::uint64_t begin, std::uint64_t end,
                                        std::uint64_t last);

  [[nodiscard]] const segment& from() const noexcept { return *from_; }

private:
  std::shared_ptr<const segment> from_;
  byte_buffer buffer_;
  std::uint64_t begin_ = 0; ///< Of the buffer in the file.
};

/// All rows of a segment, in order. Threads: one owner.
class segment_row_scan {
public:
  explicit segment_row_scan(std::shared_ptr<const segment> from)
    : window_{std::move(from)} {}

  /// The next row; nullopt at the end. Errors: corrupt, and then it goes on
  /// with the next page; io_failed, and then the call may be repeated.
  [[nodiscard]] result<std::optional<segment_row>> next();

  /// The page of the row or the error that came last.
  [[nodiscard]] std::uint32_t page() const noexcept { return page_ - 1; }

private:
  [[nodiscard]] result<void> open_page();
  [[nodiscard]] result<std::optional<segment_row>> next_in_page();

  segment_window window_;
  std::uint32_t page_ = 0; ///< The next one to open.
  std::optional<page_cursor> rows_;
  segment_row before_; ///< Its stream is 0 at first.
};

/// All chunks of a segment, in order. Threads: one owner.
class segment_chunk_scan {
public:
  explicit segment_chunk_scan(std::shared_ptr<const segment> from)
    : window_{std::move(from)} {}

  /// The next chunk; nullopt at the end. Errors: corrupt, and then it goes on
  /// with the next chunk; io_failed, and then the call may be repeated.
  [[nodiscard]] result<std::optional<segment_chunk>> next();

  [[nodiscard]] const segment& from() const noexcept { return window_.from(); }

  /// The chunk, or the error, that came last.
  [[nodiscard]] std::uint32_t number() const noexcept { return next_ - 1; }

private:
  segment_window window_;
  std::uint32_t next_ = 0;
};

/// All blocks of a segment, in order, with one chunk in memory.
/// Threads: one owner.
class segment_block_scan {
public:
  explicit segment_block_scan(std::shared_ptr<const segment> from)
    : chunks_{std::move(from)} {}

  /// The next block; nullopt at the end. Good until the next call. Errors:
  /// corrupt, and then it goes on with the next chunk; io_failed, and then the
  /// call may be repeated.
  [[nodiscard]] result<std::optional<block_view>> next();

private:
  segment_chunk_scan chunks_;
  std::optional<segment_chunk> chunk_;
  chunk_cursor blocks_;
};

} // namespace torpor
