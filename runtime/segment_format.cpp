// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_format.hpp"

#include "runtime/safety_step.hpp"
#include "runtime/wire.hpp"
#include "runtime/zigzag.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace torpor {

namespace {

constexpr std::string_view head_magic = "torporSG";
constexpr std::string_view trailer_magic = "torporSE";
constexpr std::uint16_t format_version = 1;
constexpr std::size_t checksum_bytes = 8;
constexpr std::size_t head_unused_bytes = 16;

/// Least bytes of a directory's elements: no count makes us reserve more than
/// the footer can hold.
constexpr std::uint64_t chunk_element_bytes_min = 5 + checksum_bytes;
constexpr std::uint64_t page_element_bytes_min = 2;

tl::unexpected<error> damaged(std::string_view what) {
  return fail(errc::corrupt, std::string{what});
}

void write_chunks(const std::vector<chunk_place>& chunks, wire_writer& to) {
  to.varint(chunks.size() - 1);
  chunk_place before;
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
    const auto& chunk = chunks[i];
    to.varint(chunks[i + 1].offset - chunk.offset);
    to.varint(chunks[i + 1].position - chunk.position);
    to.u64(chunk.checksum);
    to.varint(raw(chunk.stream) - raw(before.stream));
    to.varint(raw(chunk.first));
    to.varint(zigzag_step(before.first_ms, chunk.first_ms));
    before = chunk;
  }
}

void write_pages(const std::vector<page_place>& pages, wire_writer& to) {
  to.varint(pages.size() - 1);
  stream_id before{};
  for (std::size_t i = 0; i + 1 < pages.size(); ++i) {
    to.varint(pages[i + 1].offset - pages[i].offset);
    to.varint(raw(pages[i].first) - raw(before));
    before = pages[i].first;
  }
}

void write_summary(const segment_summary& summary, wire_writer& to) {
  to.varint(summary.journal_first);
  to.varint(summary.journal_last);
  to.varint(summary.streams);
  to.varint(summary.entries);
  to.varint(summary.payload_bytes);
  to.varint(zigzag(summary.first_ms));
  to.varint(static_cast<std::uint64_t>(summary.last_ms)
            - static_cast<std::uint64_t>(summary.first_ms));
}

/// False if the directory contradicts itself or leaves the file.
bool read_chunks(wire_reader& from, std::uint64_t file_end,
                 std::vector<chunk_place>& chunks) {
  const auto count = from.varint();
  if (count > from.rest().size() / chunk_element_bytes_min
      || count >= std::numeric_limits<std::uint32_t>::max())
    return false;
  chunks.reserve(count + 1);
  chunk_place at{.offset = segment_head_bytes};
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto stored = from.varint();
    const auto size = from.varint();
    at.checksum = from.u64();
    const auto stream_step = from.varint();
    at.stream = stream_id{raw(at.stream) + stream_step};
    const sequence first{from.varint()};
    const auto ordered = i == 0 || stream_step > 0 || at.first < first;
    at.first = first;
    at.first_ms = step(at.first_ms, from.varint());
    if (!from.ok() || !ordered || raw(at.stream) < stream_step || stored == 0
        || stored > size || size > chunk_bytes_max
        || stored > file_end - at.offset)
      return false;
    chunks.push_back(at);
    at.offset += stored;
    at.position += size;
  }
  chunks.push_back({.offset = at.offset, .position = at.position});
  return from.ok();
}

bool read_pages(wire_reader& from, std::uint64_t begin, std::uint64_t file_end,
                std::vector<page_place>& pages) {
  const auto count = from.varint();
  if (count > from.rest().size() / page_element_bytes_min)
    return false;
  pages.reserve(count + 1);
  page_place at{.offset = begin};
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto bytes = from.varint();
    const auto stream_step = from.varint();
    at.first = stream_id{raw(at.first) + stream_step};
    const auto ordered = i == 0 || stream_step > 0;
    if (!from.ok() || !ordered || raw(at.first) < stream_step
        || bytes <= checksum_bytes || bytes > segment_page_bytes_max
        || bytes > file_end - at.offset)
      return false;
    pages.push_back(at);
    at.offset += bytes;
  }
  pages.push_back({.offset = at.offset});
  return from.ok() && at.offset == file_end;
}

bool read_summary(wire_reader& from, segment_summary& summary) {
  const auto journal_first = from.varint();
  const auto journal_last = from.varint();
  summary.journal_first = static_cast<std::uint32_t>(journal_first);
  summary.journal_last = static_cast<std::uint32_t>(journal_last);
  summary.streams = from.varint();
  summary.entries = from.varint();
  summary.payload_bytes = from.varint();
  summary.first_ms = unzigzag(from.varint());
  summary.last_ms = static_cast<std::int64_t>(
    static_cast<std::uint64_t>(summary.first_ms) + from.varint());
  return from.done() && journal_first <= journal_last
         && journal_last <= std::numeric_limits<std::uint32_t>::max();
}

} // namespace

void encode(segment_header& header, std::byte* into) noexcept {
  wire_writer to{into};
  to.raw(as_bytes(head_magic));
  to.u16(format_version);
  to.u16(segment_head_bytes);
  to.u32(0); // Flags.
  to.raw(header.store);
  to.u64(header.number);
  to.raw(std::array<std::byte, head_unused_bytes>{});
  header.checksum = checksum_of({into, segment_head_bytes - checksum_bytes});
  to.u64(header.checksum);
}

result<segment_header> decode_segment_header(bytes_view bytes) {
  if (bytes.size() < segment_head_bytes
      || as_text(bytes.first(head_magic.size())) != head_magic)
    return damaged("this is not a segment");
  wire_reader from{bytes.subspan(head_magic.size())};
  const auto version = from.u16();
  const std::size_t size = from.u16();
  const auto flags = from.u32();
  if (size < segment_head_bytes || size > bytes.size())
    return damaged("the header's size is wrong");
  const auto covered = size - checksum_bytes;
  const auto stated = wire_reader{bytes.subspan(covered)}.u64();
  if (does(safety_step::segment_head_checksum)
      && checksum_of(bytes.first(covered)) != stated)
    return damaged("the header's checksum is wrong");
  if (version != format_version || flags != 0)
    return fail(errc::incompatible,
                fmt::format("a segment of format version {} with flags {}; "
                            "this build reads version {} without flags",
                            version, flags, format_version));
  segment_header header;
  const auto store = from.raw(header.store.size());
  std::copy(store.begin(), store.end(), header.store.begin());
  header.number = from.u64();
  header.checksum = stated;
  return header;
}

void encode(const segment_trailer& trailer, std::byte* into) noexcept {
  wire_writer to{into};
  to.u64(trailer.offset);
  to.u64(trailer.bytes);
  to.u64(trailer.checksum);
  to.u64(checksum_of({into, 3 * sizeof(std::uint64_t)}));
  to.raw(as_bytes(trailer_magic));
}

result<segment_trailer> decode_segment_trailer(bytes_view bytes,
                                               std::uint64_t file_bytes) {
  wire_reader from{bytes};
  segment_trailer trailer;
  trailer.offset = from.u64();
  trailer.bytes = from.u64();
  trailer.checksum = from.u64();
  const auto stated = from.u64();
  if (as_text(from.rest()) != trailer_magic)
    return damaged("the trailer is missing");
  if (does(safety_step::segment_footer_checksum)
      && checksum_of(bytes.first(3 * sizeof(std::uint64_t))) != stated)
    return damaged("the trailer's checksum is wrong");
  const auto end = file_bytes - segment_trailer_bytes;
  if (trailer.offset < segment_head_bytes || trailer.offset > end
      || trailer.bytes != end - trailer.offset)
    return damaged("the trailer belongs to a file of another size");
  return trailer;
}

void encode(const segment_footer& footer, std::uint64_t header_checksum,
            byte_buffer& into) {
  const auto most = checksum_bytes + 9 * varint_bytes_max
                    + footer.chunks.size()
                        * (checksum_bytes + 5 * varint_bytes_max)
                    + footer.pages.size() * 2 * varint_bytes_max;
  auto* begin = into.reserve(most);
  wire_writer to{begin};
  to.u64(header_checksum);
  write_chunks(footer.chunks, to);
  write_pages(footer.pages, to);
  write_summary(footer.summary, to);
  into.grow(static_cast<std::size_t>(to.at() - begin));
}

result<segment_footer> decode_segment_footer(bytes_view bytes,
                                             const segment_trailer& trailer,
                                             std::uint64_t header_checksum) {
  if (does(safety_step::segment_footer_checksum)
      && checksum_of(bytes) != trailer.checksum)
    return damaged("the footer's checksum is wrong");
  wire_reader from{bytes};
  if (from.u64() != header_checksum)
    return damaged("the footer belongs to another header");
  segment_footer footer;
  if (!read_chunks(from, trailer.offset, footer.chunks)
      || !read_pages(from, footer.chunks.back().offset, trailer.offset,
                     footer.pages)
      || !read_summary(from, footer.summary))
    return damaged("the footer makes no sense");
  footer.summary.raw_bytes = footer.chunks.back().position;
  return footer;
}

} // namespace torpor
