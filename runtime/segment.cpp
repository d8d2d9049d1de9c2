// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment.hpp"

#include "runtime/assert.hpp"
#include "runtime/chunk_codec.hpp"
#include "runtime/safety_step.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace torpor {

namespace {

/// Where a newer format may end its header.
constexpr std::size_t head_bytes_max = 4096;

/// The part of a path behind the last slash.
std::string_view name_in(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

} // namespace

result<std::shared_ptr<const segment>>
segment::open(disk& disk, const std::string& path, const store_id& store) {
  auto opened = disk.open(path, open_mode::read);
  if (!opened)
    return tl::unexpected{opened.error()};
  std::shared_ptr<segment> made{new segment{std::move(*opened)}};
  if (auto loaded = made->load(store); !loaded)
    return tl::unexpected{loaded.error()};
  return made;
}

result<void> segment::load(const store_id& store) {
  const auto size = file_->size();
  if (!size)
    return tl::unexpected{size.error()};
  const auto header = load_header(store, *size);
  if (!header)
    return tl::unexpected{header.error()};
  if (auto loaded = load_footer(*size, header->checksum); !loaded)
    return loaded;
  footer_.summary.number = header->number;
  footer_.summary.file_bytes = *size;
  return {};
}

result<segment_header> segment::load_header(const store_id& store,
                                            std::uint64_t file_bytes) const {
  std::array<std::byte, head_bytes_max> buffer;
  const auto bytes = std::span{buffer}.first(
    std::min<std::uint64_t>(file_bytes, buffer.size()));
  if (auto got = read_at(0, bytes); !got)
    return tl::unexpected{got.error()};
  auto header = decode_segment_header(bytes);
  if (!header && header.error().code == errc::corrupt)
    return damaged(0, header.error().context);
  if (!header)
    return fail(header.error().code, fmt::format("'{}' is {}", file_->path(),
                                                 header.error().context));
  if (header->store != store)
    return fail(errc::incompatible,
                fmt::format("'{}' belongs to another store", file_->path()));
  const auto named = segment_file_number(name_in(file_->path()));
  if (named && *named != header->number)
    return damaged(0, fmt::format("this is segment {}; somebody renamed it",
                                  header->number));
  return header;
}

result<void> segment::load_footer(std::uint64_t file_bytes,
                                  std::uint64_t header_checksum) {
  if (file_bytes < segment_head_bytes + segment_trailer_bytes)
    return damaged(file_bytes, "the file ends too early");
  std::array<std::byte, segment_trailer_bytes> tail;
  const auto tail_offset = file_bytes - tail.size();
  if (auto got = read_at(tail_offset, tail); !got)
    return got;
  const auto trailer = decode_segment_trailer(tail, file_bytes);
  if (!trailer)
    return damaged(tail_offset, trailer.error().context);
  std::vector<std::byte> bytes(trailer->bytes);
  if (auto got = read_at(trailer->offset, bytes); !got)
    return got;
  auto footer = decode_segment_footer(bytes, *trailer, header_checksum);
  if (!footer)
    return damaged(trailer->offset, footer.error().context);
  footer_ = std::move(*footer);
  return {};
}

result<std::optional<segment_row>> segment::find(stream_id stream) const {
  const auto behind = std::upper_bound(
    footer_.pages.begin(), footer_.pages.end() - 1, stream,
    [](stream_id id, const page_place& page) {
      return torpor::raw(id) < torpor::raw(page.first);
    });
  if (behind == footer_.pages.begin())
    return std::nullopt;
  const auto& page = *(behind - 1);
  std::array<std::byte, segment_page_bytes_max> buffer;
  const auto bytes = std::span{buffer}.first(behind->offset - page.offset);
  if (auto got = read_at(page.offset, bytes); !got)
    return tl::unexpected{got.error()};
  auto rows = page_cursor::open(bytes);
  if (!rows)
    return damaged(page.offset, rows.error().context);
  for (;;) {
    auto row = rows->next();
    if (!row)
      return damaged(page.offset, row.error().context);
    if (!*row || torpor::raw((*row)->stream) > torpor::raw(stream))
      return std::nullopt;
    if ((*row)->stream != stream)
      continue;
    if (auto located = locate(**row); !located)
      return tl::unexpected{located.error()};
    return row;
  }
}

std::uint32_t segment::chunk_at(std::uint64_t position) const noexcept {
  const auto behind = std::upper_bound(
    footer_.chunks.begin(), footer_.chunks.end() - 1, position,
    [](std::uint64_t wanted, const chunk_place& chunk) {
      return wanted < chunk.position;
    });
  return static_cast<std::uint32_t>(behind - footer_.chunks.begin() - 1);
}

result<void> segment::locate(segment_row& row) const {
  if (row.position + row.bytes > footer_.chunks.back().position)
    return damaged(footer_.chunks.back().offset,
                   fmt::format("the row of stream {} leads behind the chunks",
                               torpor::raw(row.stream)));
  row.chunk = chunk_at(row.position);
  row.chunks = chunk_at(row.position + row.bytes - 1) - row.chunk + 1;
  row.offset = static_cast<std::uint32_t>(row.position
                                          - footer_.chunks[row.chunk].position);
  return {};
}

std::uint32_t segment::chunk_with(const segment_row& row,
                                  sequence wanted) const noexcept {
  // Every chunk of a stream but its first begins with that stream.
  const auto first = footer_.chunks.begin() + row.chunk;
  const auto behind = std::upper_bound(
    first + 1, first + row.chunks, wanted,
    [](sequence seq, const chunk_place& chunk) {
      return torpor::raw(seq) < torpor::raw(chunk.first);
    });
  return static_cast<std::uint32_t>(behind - footer_.chunks.begin() - 1);
}

std::uint32_t segment::chunk_with_time(const segment_row& row,
                                       std::int64_t time_ms) const noexcept {
  // A chunk that begins at `time_ms` may have one before it that ends then.
  const auto first = footer_.chunks.begin() + row.chunk;
  const auto behind = std::lower_bound(
    first + 1, first + row.chunks, time_ms,
    [](const chunk_place& chunk, std::int64_t wanted) {
      return chunk.first_ms < wanted;
    });
  return static_cast<std::uint32_t>(behind - footer_.chunks.begin() - 1);
}

result<segment_chunk> segment::read(std::uint32_t chunk) const {
  TORPOR_ASSERT(chunk < chunks());
  const auto bytes = stored_bytes(chunk);
  const auto stored = std::make_unique_for_overwrite<std::byte[]>(bytes);
  const std::span<std::byte> into{stored.get(), bytes};
  return read_at(footer_.chunks[chunk].offset, into).and_then([&] {
    return unpack(chunk, into);
  });
}

result<segment_chunk> segment::unpack(std::uint32_t chunk,
                                      bytes_view stored) const {
  const auto& place = footer_.chunks[chunk];
  if (does(safety_step::segment_chunk_checksum)
      && checksum_of(stored) != place.checksum)
    return damaged(place.offset, "the chunk's checksum is wrong");
  segment_chunk raw;
  raw.number = chunk;
  raw.size = raw_bytes(chunk);
  raw.bytes = std::make_unique_for_overwrite<std::byte[]>(raw.size);
  if (auto done = decompress_chunk(stored, {raw.bytes.get(), raw.size}); !done)
    return damaged(place.offset, done.error().context);
  return raw;
}

result<void> segment::read_at(std::uint64_t offset,
                              std::span<std::byte> into) const {
  const auto got = file_->read(offset, into);
  if (!got)
    return tl::unexpected{got.error()};
  if (*got < into.size())
    return damaged(offset + *got, "the file ends too early");
  return {};
}

tl::unexpected<error> segment::damaged(std::uint64_t offset,
                                       std::string_view what) const {
  return fail(errc::corrupt, fmt::format("'{}' is damaged at byte {}: {}",
                                         file_->path(), offset, what));
}

} // namespace torpor
