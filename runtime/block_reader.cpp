// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_reader.hpp"

#include "runtime/journal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

tl::unexpected<error> damaged(const read_job& job, sequence from, sequence to,
                              const error& why) {
  return fail(why.code,
              fmt::format("stream '{}': entries {} to {} cannot be read: {}; "
                          "run 'torpor verify'",
                          job.name, raw(from), raw(to) - 1, why.context));
}

const error missing{errc::corrupt, "they are missing"};

/// Adds the entries that the read asked for. True when the page is full.
bool take_entries(read_page& page, const read_options& wanted,
                  const block_view& block, std::uint64_t& bytes) {
  entry_cursor cursor{block};
  while (auto entry = cursor.next()) {
    const auto early = raw(entry->seq) < raw(page.next_from)
                       || (wanted.from_time && page.entries.empty()
                           && entry->time_ms < *wanted.from_time);
    if (early)
      continue;
    if (!page.entries.empty()
        && (page.entries.size() >= wanted.count_max
            || bytes + entry->payload.size() > wanted.bytes_max))
      return true;
    bytes += entry->payload.size();
    page.entries.push_back(*entry);
    page.next_from = entry->seq + 1;
  }
  return page.entries.size() >= wanted.count_max;
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

result<read_page> block_reader::run(read_job& job) {
  auto page = std::move(job.page);
  const auto& wanted = job.request->options;
  std::uint64_t bytes = 0;
  auto expected = page.next_from;
  for (const auto& indexed : job.blocks) {
    // A read by time begins somewhere inside its first block's range.
    const auto gap = page.buffers.empty()
                       ? raw(indexed.first) > raw(expected)
                       : indexed.first != expected;
    if (gap)
      return page.entries.empty()
               ? damaged(job, expected, indexed.first, missing)
               : result<read_page>{std::move(page)};
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
    if (!block) {
      // What came before the damage is good; the next read meets it first.
      if (!page.entries.empty())
        return page;
      return damaged(job, indexed.first, indexed.first + indexed.count,
                     {block.error().code,
                      fmt::format("{} at byte {} of {}", block.error().context,
                                  place.offset,
                                  journal_file_name(place.file))});
    }
    page.buffers.push_back(std::move(buffer));
    expected = block->first + block->count;
    if (take_entries(page, wanted, *block, bytes))
      return page;
  }
  if (page.entries.empty() && raw(expected) < raw(page.next))
    return damaged(job, expected, page.next, missing);
  return page;
}

} // namespace torpor
