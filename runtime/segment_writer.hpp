// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/byte_buffer.hpp"
#include "runtime/chunk_codec.hpp"
#include "runtime/disk.hpp"
#include "runtime/segment_format.hpp"
#include "runtime/segment_output.hpp"
#include "runtime/segment_page.hpp"

#include <cstdint>
#include <string>

namespace torpor {

/// What a new segment is told of itself.
struct segment_config {
  store_id store{};
  std::uint64_t number = 0;        ///< From 1; never used before.
  std::uint32_t journal_first = 0; ///< First journal file that it covers.
  std::uint32_t journal_last = 0;  ///< Last one; at least the first.
  int compression_level = 1;       ///< zstd's, 1 to 22; 0: never compress.
};

/// Writes a segment from front to back (docs/segment-format.md). Holds one
/// block, one chunk, 512 KiB of output, about 48 bytes a chunk and 12 bytes a
/// stream. After an error, and after `finish`, only destroy it; the file of a
/// failed one is of no use. Threads: one owner.
class segment_writer {
public:
  /// Begins the segment in a new file. Errors: io_failed, also if `path`
  /// exists.
  [[nodiscard]] static result<segment_writer>
  create(disk& disk, const std::string& path, const segment_config& config);

  /// Adds the block's entries from sequence `from` on; if there are none,
  /// nothing. Blocks come in the order of (stream, first) and do not overlap;
  /// gaps are allowed. What else a block says is left out. Errors: io_failed,
  /// corrupt (its entries make no sense, or not behind those before them; names
  /// stream and range).
  [[nodiscard]] result<void> add(const block_view& block,
                                 sequence from = sequence{0});

  /// Writes the index and makes the file durable. Its name becomes durable
  /// when the caller syncs the directory. Errors: io_failed.
  [[nodiscard]] result<segment_summary> finish();

  /// Raw bytes of the finished blocks, for deciding when to stop.
  [[nodiscard]] std::uint64_t raw_bytes() const noexcept {
    return position_ + chunk_.size();
  }

private:
  segment_writer(std::unique_ptr<file> into, const segment_config& config);

  [[nodiscard]] bool follows(const block_view& block,
                             sequence first) const noexcept;
  [[nodiscard]] result<void> start_block(stream_id stream, sequence first,
                                         std::size_t bytes);
  void add_entry(const entry_view& entry);
  void end_row();
  [[nodiscard]] result<void> end_block();
  [[nodiscard]] result<void> end_chunk();
  [[nodiscard]] result<void> write_index();

  segment_output output_;
  chunk_compressor compressor_;
  segment_header header_;
  segment_footer footer_; ///< The chunks so far; the sums so far.
  page_builder pages_;
  block_builder block_;        ///< The last block, still open. Empty at first.
  byte_buffer chunk_;          ///< The last chunk, still open.
  chunk_place chunk_head_;     ///< Its place in the directory.
  segment_row row_;            ///< The last stream's; bytes of finished blocks.
  std::uint64_t position_ = 0; ///< Raw bytes of the finished chunks.
};

} // namespace torpor
