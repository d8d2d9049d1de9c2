// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_reader.hpp"

#include "runtime/chunk_cursor.hpp"
#include "runtime/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace torpor {

namespace {

tl::unexpected<error> damaged(const read_job& job, sequence from, sequence to,
                              const error& why) {
  return unreadable(job.name, from, to, why);
}

/// Bytes of a part of a chunk that are worth keeping the whole chunk in memory.
bool keeps_chunk(std::size_t part, std::size_t whole) {
  return part >= whole / 4;
}

/// The block's bytes where the page keeps them.
block_view keep_copy(read_page& page, const block_view& block) {
  const auto bytes = block.whole.size();
  auto copy = std::make_unique_for_overwrite<std::byte[]>(bytes);
  std::memcpy(copy.get(), block.whole.data(), bytes);
  auto kept = block;
  kept.entries = bytes_view{copy.get(), bytes}.last(block.entries.size());
  page.buffers.push_back(std::move(copy));
  return kept;
}

} // namespace

block_reader::block_reader(disk& disk, std::string journal_directory)
  : disk_(disk), directory_(std::move(journal_directory)) {}

result<file*> block_reader::open(std::uint32_t number) {
  const auto known = std::find_if(
    files_.begin(), files_.end(),
    [number](const auto& open) { return open.first == number; });
  if (known != files_.end()) {
    files_.splice(files_.begin(), files_, known);
    return files_.front().second.get();
  }
  auto opened = disk_.open(directory_ + "/" + journal_file_name(number),
                           open_mode::read);
  if (!opened)
    return tl::unexpected{opened.error()};
  files_.emplace_front(number, std::move(*opened));
  if (files_.size() > open_files_max)
    files_.pop_back();
  return files_.front().second.get();
}

void block_reader::forget(std::uint32_t first) {
  files_.remove_if([first](const auto& open) { return open.first < first; });
}

result<read_page> block_reader::run(read_job& job) {
  bytes_ = 0;
  auto done = find_time(job).and_then([&]() -> result<progress> {
    expected_ = job.page.next_from;
    if (raw(expected_) < raw(job.sealed_end))
      return take_sealed(job);
    return progress::more;
  });
  if (done && *done == progress::more)
    done = take_journal(job);
  // What came before the damage is good; the next read meets it first.
  if (!done && job.page.entries.empty())
    return tl::unexpected{done.error()};
  return std::move(job.page);
}

/// Looks for the place of a time in the segments.
result<void> block_reader::find_time(read_job& job) {
  if (!job.time_sealed)
    return {};
  const auto time = *job.request->options.from_time;
  auto found = job.segments->find_time(job.page.stream, job.first, time);
  if (!found)
    return damaged(job, job.first, job.page.next_from, found.error());
  if (!*found)
    return check_before(job); // The index was right.
  const auto& [in, row] = **found;
  for (auto number = in->chunk_with_time(row, time);
       number < row.chunk + row.chunks; ++number) {
    const auto chunk = in->read(number);
    if (!chunk)
      return damaged(job, row.first, row.next, chunk.error());
    chunk_cursor blocks{*in, *chunk, segment::offset_in(row, number)};
    for (auto block = blocks.next();; block = blocks.next()) {
      if (!block)
        return damaged(job, row.first, row.next, block.error());
      if (!*block || (*block)->stream > job.page.stream)
        break;
      if ((*block)->stream != job.page.stream || (*block)->last_ms < time
          || raw((*block)->first) + (*block)->count <= raw(job.first))
        continue;
      job.page.next_from = std::max((*block)->first, job.first);
      return {};
    }
  }
  return {};
}

/// What comes before the place that a time was found at is older, but it has to
/// be there.
result<void> block_reader::check_before(const read_job& job) {
  const auto from = job.page.next_from;
  if (raw(from) <= raw(job.first))
    return {};
  const auto last = job.segments->find(job.page.stream,
                                       sequence{raw(from) - 1});
  if (last && *last)
    return {};
  return last ? missing(job.name, job.first, from)
              : damaged(job, job.first, from, last.error());
}

/// Everything below `sealed_end`, segment after segment.
result<block_reader::progress> block_reader::take_sealed(read_job& job) {
  while (raw(expected_) < raw(job.sealed_end)) {
    const auto found = job.segments
                         ? job.segments->find(job.page.stream, expected_)
                         : result<std::optional<segment_list::found>>{};
    if (!found)
      return damaged(job, expected_, job.sealed_end, found.error());
    if (!*found)
      return missing(job.name, expected_, job.sealed_end);
    const auto before = expected_;
    const auto part = take_part(job, **found);
    if (!part || *part == progress::full)
      return part;
    if (expected_ == before)
      return missing(job.name, expected_, (*found)->row.next);
  }
  return progress::more;
}

result<block_reader::progress>
block_reader::take_part(read_job& job, const segment_list::found& part) {
  const auto& row = part.row;
  for (auto number = part.in->chunk_with(row, expected_);
       number < row.chunk + row.chunks; ++number) {
    const auto taken = take_chunk(job, part, number);
    if (!taken || *taken == progress::full)
      return taken;
  }
  return progress::more;
}

result<block_reader::progress>
block_reader::take_chunk(read_job& job, const segment_list::found& part,
                         std::uint32_t number) {
  auto chunk = part.in->read(number);
  if (!chunk)
    return damaged(job, expected_, part.row.next, chunk.error());
  chunk_cursor blocks{*part.in, *chunk, segment::offset_in(part.row, number)};
  auto keeps = false;
  auto taken = result<progress>{progress::more};
  for (auto block = blocks.next(); taken && *taken == progress::more;
       block = blocks.next()) {
    if (!block) {
      taken = damaged(job, expected_, part.row.next, block.error());
      break;
    }
    if (!*block || (*block)->stream > job.page.stream)
      break;
    const auto end = (*block)->first + (*block)->count;
    if ((*block)->stream != job.page.stream || raw(end) <= raw(expected_))
      continue;
    const auto whole = keeps_chunk((*block)->whole.size(), chunk->size);
    keeps = keeps || whole;
    taken = take(job, whole ? **block : keep_copy(job.page, **block),
                 part.in->path());
  }
  if (keeps)
    job.page.buffers.push_back(std::move(chunk->bytes));
  return taken;
}

result<block_reader::progress> block_reader::take_journal(read_job& job) {
  auto& page = job.page;
  for (const auto& indexed : job.blocks) {
    const auto place = indexed.place;
    auto source = open(place.file);
    auto buffer = std::make_unique_for_overwrite<std::byte[]>(place.bytes);
    const std::span<std::byte> into{buffer.get(), place.bytes};
    auto got = source ? (*source)->read(place.offset, into)
                      : result<std::size_t>{tl::unexpected{source.error()}};
    auto block = !got ? result<block_view>{tl::unexpected{got.error()}}
                      : parse_block(into.first(*got));
    if (block
        && (block->stream != page.stream || block->first != indexed.first))
      block = fail(errc::corrupt, "another block is in its place");
    if (!block)
      return damaged(job, indexed.first, indexed.first + indexed.count,
                     {block.error().code,
                      fmt::format("{} at byte {} of {}", block.error().context,
                                  place.offset,
                                  journal_file_name(place.file))});
    page.buffers.push_back(std::move(buffer));
    const auto taken = take(job, *block, (*source)->path());
    if (!taken || *taken == progress::full)
      return taken;
  }
  if (page.entries.empty() && raw(expected_) < raw(page.next))
    return missing(job.name, expected_, page.next);
  return progress::more;
}

/// Adds the entries of a block that the read asked for.
result<block_reader::progress> block_reader::take(read_job& job,
                                                  const block_view& block,
                                                  const std::string& path) {
  auto& page = job.page;
  const auto& wanted = job.request->options;
  if (raw(block.first) > raw(expected_))
    return missing(job.name, expected_, block.first);
  if (raw(block.first) < raw(expected_) && !page.entries.empty())
    return damaged(job, block.first, expected_,
                   {errc::corrupt, "they are there twice"});
  entry_cursor cursor{block};
  while (auto entry = cursor.next()) {
    const auto early = raw(entry->seq) < raw(page.next_from)
                       || (wanted.from_time && page.entries.empty()
                           && entry->time_ms < *wanted.from_time);
    if (early)
      continue;
    if (!page.entries.empty()
        && (page.entries.size() >= wanted.count_max
            || bytes_ + entry->payload.size() > wanted.bytes_max))
      return progress::full;
    bytes_ += entry->payload.size();
    page.entries.push_back(*entry);
    page.next_from = entry->seq + 1;
  }
  if (!cursor.sound())
    return damaged(job, std::max(block.first, page.next_from),
                   block.first + block.count,
                   {errc::corrupt,
                    fmt::format("{}, in '{}'", senseless_entries, path)});
  expected_ = block.first + block.count;
  return page.entries.size() >= wanted.count_max ? progress::full
                                                 : progress::more;
}

} // namespace torpor
