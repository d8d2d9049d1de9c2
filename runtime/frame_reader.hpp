// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/aligned_buffer.hpp"
#include "runtime/block.hpp"
#include "runtime/disk.hpp"
#include "runtime/frame.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace torpor {

/// Called for every valid block, in the journal's order.
using block_visitor = std::function<void(const block_view&, block_place)>;

/// A frame and where it lies in its file.
struct placed_frame {
  std::uint64_t offset = 0;
  frame_header header;
  /// Offset of what comes behind it.
  [[nodiscard]] std::uint64_t end() const noexcept {
    return offset + frame_bytes(header.payload_bytes);
  }
};

/// Frame numbers from `first` on, and below `limit` unless that is 0.
struct frame_range {
  std::uint64_t first = 0;
  std::uint64_t limit = 0;
  [[nodiscard]] bool contains(std::uint64_t number) const noexcept {
    return number >= first && (limit == 0 || number < limit);
  }
};

/// Reads the frames of one journal file through a window of 1 MiB, which
/// grows only for a larger block. Believes no length before it was checked.
/// Every function can fail with io_failed. Threads: one owner.
class frame_reader {
public:
  [[nodiscard]] static result<frame_reader> open(disk& disk,
                                                 const std::string& path,
                                                 std::uint32_t number,
                                                 const store_id& store);

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// The header at the file's start, of whatever store and file; nullopt if
  /// none is sound. Errors: incompatible (a newer format).
  [[nodiscard]] result<std::optional<frame_header>> first_header();

  /// The first valid frame at or behind `offset` with a number in the range.
  [[nodiscard]] result<std::optional<placed_frame>> find(std::uint64_t offset,
                                                         frame_range numbers);

  /// Calls `visit` for each block of a valid frame and returns nullopt; or the
  /// offset of the first block that does not fit its frame, and stops there.
  [[nodiscard]] result<std::optional<std::uint64_t>>
  visit(const placed_frame& frame, const block_visitor& visit);

  /// Calls `visit` for the blocks between two offsets that are whole, though
  /// their frames are not. Stops at a sound header with a number outside the
  /// range. Returns how many blocks.
  [[nodiscard]] result<std::uint64_t> salvage(std::uint64_t from,
                                              std::uint64_t to,
                                              frame_range numbers,
                                              const block_visitor& visit);

  /// Whether the file ends where none can: it is empty, or ends between two
  /// places for frames, or within the frame whose sound header is at `offset`.
  /// No crash leaves that, for a file is prepared in its full size and cut
  /// behind a frame.
  [[nodiscard]] result<bool> cut_off(std::uint64_t offset);

  /// Whether there are only zeros in the file.
  [[nodiscard]] result<bool> blank();

private:
  frame_reader(std::unique_ptr<file> source, std::uint64_t size,
               std::uint32_t number, const store_id& store)
    : file_(std::move(source)),
      size_(size),
      number_(number),
      store_(store) {}

  /// A run of blocks: where it ended, and whether that was in order.
  struct block_run {
    std::uint64_t end = 0;
    std::uint64_t blocks = 0;
    bool broken = false;
  };

  [[nodiscard]] result<bytes_view> at(std::uint64_t offset,
                                      std::uint64_t bytes);
  [[nodiscard]] result<std::optional<frame_header>>
  header_at(std::uint64_t offset);
  [[nodiscard]] bool fits(const frame_header& header,
                          std::uint64_t offset) const noexcept;
  [[nodiscard]] result<bool> holds_payload(const placed_frame& frame);
  [[nodiscard]] result<block_run> visit_blocks(std::uint64_t from,
                                               std::uint64_t to, bool skip,
                                               const block_visitor& visit);

  std::unique_ptr<file> file_;
  std::uint64_t size_;
  std::uint32_t number_;
  store_id store_;
  aligned_buffer window_;
  std::uint64_t window_offset_ = 0; ///< Of its first byte in the file.
  std::uint64_t window_bytes_ = 0;
};

} // namespace torpor
