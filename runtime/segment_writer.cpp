// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_writer.hpp"

#include "runtime/assert.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

tl::unexpected<error> senseless(const block_view& block,
                                std::string_view what) {
  return fail(errc::corrupt,
              fmt::format("stream {}, entries {} to {}: {}", raw(block.stream),
                          raw(block.first),
                          raw(block.first) + block.count - 1, what));
}

} // namespace

result<segment_writer> segment_writer::create(disk& disk,
                                              const std::string& path,
                                              const segment_config& config) {
  TORPOR_ASSERT(config.number > 0);
  TORPOR_ASSERT(config.journal_first <= config.journal_last);
  auto made = disk.open(path, open_mode::create);
  if (!made)
    return tl::unexpected{made.error()};
  segment_writer writer{std::move(*made), config};
  std::array<std::byte, segment_head_bytes> head;
  encode(writer.header_, head.data());
  if (auto done = writer.output_.append(head); !done)
    return tl::unexpected{done.error()};
  return writer;
}

segment_writer::segment_writer(std::unique_ptr<file> into,
                               const segment_config& config)
  : output_{std::move(into)},
    compressor_{config.compression_level} {
  header_.store = config.store;
  header_.number = config.number;
  footer_.summary.number = config.number;
  footer_.summary.journal_first = config.journal_first;
  footer_.summary.journal_last = config.journal_last;
}

result<void> segment_writer::add(const block_view& block, sequence from) {
  if (block.count == 0 || raw(block.first) + block.count <= raw(from))
    return {};
  const auto first = std::max(block.first, from);
  if (!follows(block, first))
    return senseless(block, "they do not follow the entries before them");
  auto started = start_block(block.stream, first, block.entries.size());
  if (!started)
    return started;
  entry_cursor entries{block};
  while (const auto entry = entries.next())
    if (raw(entry->seq) >= raw(from))
      add_entry(*entry);
  return entries.sound() ? result<void>{}
                         : senseless(block, senseless_entries);
}

/// Whether a block stands behind all that came before it, in place and time. If
/// not, a faulty writer made it: its checksum was right.
bool segment_writer::follows(const block_view& block,
                             sequence first) const noexcept {
  if (block_.count() == 0)
    return true;
  if (block_.stream() != block.stream)
    return raw(block_.stream()) < raw(block.stream);
  return raw(block_.next()) <= raw(first) && row_.last_ms <= block.first_ms;
}

/// Goes on with the open block if the new one continues it and both fit.
result<void> segment_writer::start_block(stream_id stream, sequence first,
                                         std::size_t bytes) {
  const auto open = block_.count() > 0;
  const auto same = open && block_.stream() == stream;
  if (same && block_.next() == first
      && block_.bytes_max() + bytes <= chunk_bytes)
    return {};
  if (auto ended = end_block(); !ended)
    return ended;
  if (!same) {
    end_row();
    row_ = {.stream = stream, .first = first, .position = raw_bytes()};
  }
  block_.start(stream, first);
  return {};
}

void segment_writer::add_entry(const entry_view& entry) {
  auto& sum = footer_.summary;
  if (row_.next == sequence{}) {
    row_.first_ms = row_.last_ms = entry.time_ms;
    sum.first_ms = sum.entries == 0 ? entry.time_ms
                                    : std::min(sum.first_ms, entry.time_ms);
  }
  TORPOR_ASSERT(entry.time_ms >= row_.last_ms);
  block_.add(entry.payload, entry.encoded, entry.time_ms);
  row_.next = entry.seq + 1;
  row_.last_ms = entry.time_ms;
  sum.last_ms = sum.entries == 0 ? entry.time_ms
                                 : std::max(sum.last_ms, entry.time_ms);
  ++sum.entries;
  sum.payload_bytes += entry.payload.size();
}

void segment_writer::end_row() {
  if (row_.next == sequence{})
    return;
  pages_.add(row_);
  ++footer_.summary.streams;
}

result<void> segment_writer::end_block() {
  if (block_.count() == 0)
    return {};
  const auto bytes = block_.finish();
  TORPOR_ASSERT(bytes.size() <= chunk_bytes_max);
  if (chunk_.size() > 0 && chunk_.size() + bytes.size() > chunk_bytes)
    if (auto ended = end_chunk(); !ended)
      return ended;
  if (chunk_.size() == 0) {
    const auto first = block_.summary();
    chunk_head_ = {.offset = output_.bytes(),
                   .position = position_,
                   .stream = first.stream,
                   .first = first.first,
                   .first_ms = first.first_ms};
  }
  chunk_.append(bytes);
  row_.bytes += bytes.size();
  return {};
}

result<void> segment_writer::end_chunk() {
  if (chunk_.size() == 0)
    return {};
  const auto stored = compressor_.compress(chunk_.view());
  chunk_head_.checksum = checksum_of(stored);
  footer_.chunks.push_back(chunk_head_);
  position_ += chunk_.size();
  auto written = output_.append(stored);
  chunk_.shrink(2 * chunk_bytes);
  return written;
}

result<segment_summary> segment_writer::finish() {
  auto done = end_block()
                .and_then([&] { return end_chunk(); })
                .and_then([&] {
                  end_row();
                  return write_index();
                })
                .and_then([&] { return output_.finish(); });
  if (!done)
    return tl::unexpected{done.error()};
  footer_.summary.raw_bytes = position_;
  footer_.summary.file_bytes = output_.bytes();
  return footer_.summary;
}

result<void> segment_writer::write_index() {
  const auto begin = output_.bytes();
  footer_.chunks.push_back({.offset = begin, .position = position_});
  const auto pages = pages_.finish();
  footer_.pages = std::move(pages_.places());
  for (auto& page : footer_.pages)
    page.offset += begin;
  byte_buffer footer;
  encode(footer_, header_.checksum, footer);
  const segment_trailer trailer{begin + pages.size(), footer.size(),
                                checksum_of(footer.view())};
  std::array<std::byte, segment_trailer_bytes> tail;
  encode(trailer, tail.data());
  return output_.append(pages)
    .and_then([&] { return output_.append(footer.view()); })
    .and_then([&] { return output_.append(tail); });
}

} // namespace torpor
