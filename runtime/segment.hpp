// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/disk.hpp"
#include "runtime/segment_format.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace torpor {

/// A chunk as it was before compression: blocks, one behind the other.
struct segment_chunk {
  std::uint32_t number = 0; ///< In its segment, from 0.
  std::unique_ptr<std::byte[]> bytes;
  std::size_t size = 0;

  [[nodiscard]] bytes_view view() const noexcept { return {bytes.get(), size}; }
};

/// An open segment: immutable, sorted, with an index. Keeps one descriptor and
/// the directories: 48 bytes a chunk and 16 bytes a page (about 350 streams).
/// Format: docs/segment-format.md. Threads: any.
class segment {
public:
  /// Reads the directories. Errors: corrupt, incompatible (another store's, a
  /// newer format), io_failed.
  [[nodiscard]] static result<std::shared_ptr<const segment>>
  open(disk& disk, const std::string& path, const store_id& store);

  [[nodiscard]] const segment_summary& summary() const noexcept {
    return footer_.summary;
  }
  [[nodiscard]] const std::string& path() const noexcept {
    return file_->path();
  }

  /// The stream's row, if it has entries here. Reads one page.
  /// Errors: corrupt, io_failed.
  [[nodiscard]] result<std::optional<segment_row>> find(stream_id stream) const;

  /// The chunk of the row's stream where that sequence is or would be.
  [[nodiscard]] std::uint32_t chunk_with(const segment_row& row,
                                         sequence wanted) const noexcept;

  /// The first chunk of the row's stream that can have an entry at or after
  /// `time_ms`; its last chunk if `time_ms` is after all of them.
  [[nodiscard]] std::uint32_t
  chunk_with_time(const segment_row& row, std::int64_t time_ms) const noexcept;

  /// Reads, checks and decompresses a chunk. Errors: corrupt, io_failed.
  [[nodiscard]] result<segment_chunk> read(std::uint32_t chunk) const;

  /// Where in that chunk the row's first block in it begins.
  [[nodiscard]] static std::uint32_t offset_in(const segment_row& row,
                                               std::uint32_t chunk) noexcept {
    return chunk == row.chunk ? row.offset : 0;
  }

  // -- for cursors -----------------------------------------------------------

  [[nodiscard]] std::uint32_t chunks() const noexcept {
    return static_cast<std::uint32_t>(footer_.chunks.size() - 1);
  }
  [[nodiscard]] std::uint32_t pages() const noexcept {
    return static_cast<std::uint32_t>(footer_.pages.size() - 1);
  }
  /// The directory's element, and for `chunks()` and `pages()` its end.
  [[nodiscard]] const chunk_place& chunk(std::uint32_t number) const noexcept {
    return footer_.chunks[number];
  }
  [[nodiscard]] const page_place& page(std::uint32_t number) const noexcept {
    return footer_.pages[number];
  }
  [[nodiscard]] std::size_t stored_bytes(std::uint32_t chunk) const noexcept {
    return footer_.chunks[chunk + 1].offset - footer_.chunks[chunk].offset;
  }
  [[nodiscard]] std::size_t raw_bytes(std::uint32_t chunk) const noexcept {
    return footer_.chunks[chunk + 1].position - footer_.chunks[chunk].position;
  }
  /// What `read` does with the bytes once they are read. Errors: corrupt.
  [[nodiscard]] result<segment_chunk> unpack(std::uint32_t chunk,
                                             bytes_view stored) const;
  /// Fills in the row's chunks. Errors: corrupt.
  [[nodiscard]] result<void> locate(segment_row& row) const;
  /// Reads all of `into`. Errors: corrupt (the file ends before), io_failed.
  [[nodiscard]] result<void> read_at(std::uint64_t offset,
                                     std::span<std::byte> into) const;
  /// An error that names the path and the offset.
  [[nodiscard]] tl::unexpected<error> damaged(std::uint64_t offset,
                                              std::string_view what) const;

private:
  explicit segment(std::unique_ptr<file> opened) : file_{std::move(opened)} {}

  [[nodiscard]] result<void> load(const store_id& store);
  [[nodiscard]] result<segment_header>
  load_header(const store_id& store, std::uint64_t file_bytes) const;
  [[nodiscard]] result<void> load_footer(std::uint64_t file_bytes,
                                         std::uint64_t header_checksum);
  [[nodiscard]] std::uint32_t chunk_at(std::uint64_t position) const noexcept;

  std::unique_ptr<file> file_;
  segment_footer footer_;
};

} // namespace torpor
