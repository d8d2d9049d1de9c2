// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/byte_buffer.hpp"
#include "runtime/frame.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <vector>

namespace torpor {

/// What a segment holds, all in all (docs/segment-format.md).
struct segment_summary {
  std::uint64_t number = 0;        ///< Of the segment, from 1.
  std::uint32_t journal_first = 0; ///< First journal file that it covers.
  std::uint32_t journal_last = 0;  ///< Last one.
  std::uint64_t streams = 0;
  std::uint64_t entries = 0;
  std::uint64_t payload_bytes = 0; ///< Of all entries.
  std::uint64_t raw_bytes = 0;     ///< Of all blocks, before compression.
  std::uint64_t file_bytes = 0;
  std::int64_t first_ms = 0; ///< Least timestamp; 0 without entries.
  std::int64_t last_ms = 0;  ///< Greatest timestamp.
  bool operator==(const segment_summary&) const = default;
};

/// What a segment has of one stream.
struct segment_row {
  stream_id stream{};
  sequence first{};           ///< First entry here.
  sequence next{};            ///< Behind the last entry here; > first.
  std::int64_t first_ms = 0;  ///< Timestamp of the first entry.
  std::int64_t last_ms = 0;   ///< Timestamp of the last entry.
  std::uint64_t position = 0; ///< Raw position of its first block.
  std::uint64_t bytes = 0;    ///< Raw bytes of its blocks; at least 1.
  std::uint32_t chunk = 0;    ///< The chunk where its blocks begin.
  std::uint32_t chunks = 0;   ///< In how many chunks they lie, from 1.
  std::uint32_t offset = 0;   ///< Of its first block in that chunk.
  bool operator==(const segment_row&) const = default;
};

/// A chunk in the directory.
struct chunk_place {
  std::uint64_t offset = 0;   ///< In the file.
  std::uint64_t position = 0; ///< Raw position of its first byte.
  std::uint64_t checksum = 0; ///< Of its stored bytes.
  stream_id stream{};         ///< Of its first block, like those below.
  sequence first{};
  std::int64_t first_ms = 0;
};

/// A page in the directory.
struct page_place {
  std::uint64_t offset = 0; ///< In the file.
  stream_id first{};        ///< Of its first row.
};

/// What the footer says. Each directory has one more element: its end.
struct segment_footer {
  std::vector<chunk_place> chunks;
  std::vector<page_place> pages;
  segment_summary summary; ///< Without number and file bytes.
};

inline constexpr std::size_t segment_head_bytes = 64;
inline constexpr std::size_t segment_trailer_bytes = 40;
inline constexpr std::size_t segment_page_bytes_max = 4096;
/// A chunk has more only if it is a single block.
inline constexpr std::size_t chunk_bytes = 64u << 10;
inline constexpr std::uint64_t chunk_bytes_max = 1u << 30;

struct segment_header {
  store_id store{};
  std::uint64_t number = 0;
  std::uint64_t checksum = 0; ///< Set by encode and decode.
};

/// Where the footer lies.
struct segment_trailer {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
};

/// Writes `segment_head_bytes` bytes and sets the checksum.
void encode(segment_header& header, std::byte* into) noexcept;

/// Errors: corrupt, incompatible (sound, but of a newer format).
[[nodiscard]] result<segment_header> decode_segment_header(bytes_view bytes);

/// Writes `segment_trailer_bytes` bytes.
void encode(const segment_trailer& trailer, std::byte* into) noexcept;

/// Checks the trailer of a file of `file_bytes`. Errors: corrupt.
[[nodiscard]] result<segment_trailer>
decode_segment_trailer(bytes_view bytes, std::uint64_t file_bytes);

/// Appends the footer of a file whose header has that checksum.
void encode(const segment_footer& footer, std::uint64_t header_checksum,
            byte_buffer& into);

/// Checks and decodes the footer that begins at `offset` of its file.
/// Errors: corrupt.
[[nodiscard]] result<segment_footer>
decode_segment_footer(bytes_view bytes, const segment_trailer& trailer,
                      std::uint64_t header_checksum);

} // namespace torpor
