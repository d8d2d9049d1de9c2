// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal_seal.hpp"

#include "runtime/frame_reader.hpp"
#include "runtime/safety_step.hpp"
#include "runtime/segment_files.hpp"

#include <fmt/format.h>
#include <tsl/robin_set.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace torpor {

namespace {

/// A block that waits to be sorted.
struct kept_block {
  stream_id stream{};
  sequence first{};
  std::size_t offset = 0; ///< In the collected bytes.
  std::uint32_t bytes = 0;
};

/// The blocks of some journal files. Threads: one owner.
class collected_blocks {
public:
  /// Adds the blocks of a file's frames from number `next` on, up to `end`,
  /// and moves `next` behind them.
  result<void> add(disk& disk, const journal_config& config,
                   std::uint32_t number, std::uint64_t& next,
                   std::uint64_t end);

  result<void> write(segment_writer& into);

  /// Makes room for the blocks of so many bytes of files.
  void reserve(std::uint64_t bytes) {
    static_cast<void>(bytes_.reserve(bytes));
  }

private:
  void add(const block_view& block);

  byte_buffer bytes_;
  std::vector<kept_block> blocks_;
  tsl::robin_set<std::uint64_t> removed_; ///< Streams that end here.
};

tl::unexpected<error> damaged(const std::string& path, std::uint64_t offset) {
  return fail(errc::corrupt,
              fmt::format("journal '{}' is damaged at byte {} and cannot be "
                          "sealed; run 'torpor verify'",
                          path, offset));
}

result<void> collected_blocks::add(disk& disk, const journal_config& config,
                                   std::uint32_t number, std::uint64_t& next,
                                   std::uint64_t end) {
  const auto path = journal_file_path(config, number);
  auto reader = frame_reader::open(disk, path, number, config.store);
  if (!reader)
    return tl::unexpected{reader.error()};
  const auto visit = [this](const block_view& block, block_place) {
    add(block);
  };
  for (std::uint64_t offset = 0; next < end;) {
    const auto frame = reader->find(offset, {next, end});
    if (!frame)
      return tl::unexpected{frame.error()};
    if (!*frame)
      break; // Goes on in the next file, or it is missing: see below.
    if ((*frame)->offset != offset || (*frame)->header.number != next)
      return damaged(path, offset);
    const auto broken = reader->visit(**frame, visit);
    if (!broken)
      return tl::unexpected{broken.error()};
    if (*broken)
      return damaged(path, **broken);
    ++next;
    offset = (*frame)->end();
  }
  return {};
}

void collected_blocks::add(const block_view& block) {
  if (block.removes)
    removed_.insert(raw(block.stream));
  if (block.count == 0)
    return;
  blocks_.push_back({block.stream, block.first, bytes_.size(),
                     static_cast<std::uint32_t>(block.whole.size())});
  bytes_.append(block.whole);
}

result<void> collected_blocks::write(segment_writer& into) {
  std::sort(blocks_.begin(), blocks_.end(), [](const auto& a, const auto& b) {
    return std::pair{raw(a.stream), raw(a.first)}
           < std::pair{raw(b.stream), raw(b.first)};
  });
  for (const auto& each : blocks_) {
    if (removed_.contains(raw(each.stream)))
      continue;
    const auto block = parse_block(
      bytes_.view().subspan(each.offset, each.bytes));
    auto added = block ? into.add(*block)
                       : result<void>{tl::unexpected{block.error()}};
    if (!added)
      return added;
  }
  return {};
}

/// Frames from `next` on should end file `number`.
tl::unexpected<error> lost(const journal_config& config, std::uint32_t number,
                           std::uint64_t next, std::uint64_t end) {
  return fail(errc::corrupt,
              fmt::format("journal '{}' is missing or lost its end, with frames "
                          "{} to {}, and cannot be sealed; run 'torpor verify'",
                          journal_file_path(config, number), next, end - 1));
}

/// The files of a range that are there.
result<std::vector<file_head>> heads_of(disk& disk, const journal_config& config,
                                        const seal_range& range) {
  const auto listing = list_journal_files(disk, config);
  if (!listing)
    return tl::unexpected{listing.error()};
  std::vector<file_head> heads;
  for (const auto number : listing->numbers) {
    if (number < range.first || number > range.last)
      continue;
    const auto head = read_file_head(disk, config, number);
    if (!head)
      return tl::unexpected{head.error()};
    heads.push_back(*head);
  }
  return heads;
}

/// A file's frames end where those of the next one that has any begin: what it
/// holds of later numbers was fenced.
result<void> collect(collected_blocks& blocks, disk& disk,
                     const journal_config& config, const seal_range& range) {
  const auto heads = heads_of(disk, config, range);
  if (!heads)
    return tl::unexpected{heads.error()};
  std::uint64_t bytes = 0;
  for (const auto& each : *heads)
    bytes += each.bytes;
  blocks.reserve(bytes);
  auto next = range.frame_first;
  for (auto at = heads->begin(); at != heads->end(); ++at) {
    if (at->first && at->first->number > next)
      return lost(config, at->first->previous_file, next, at->first->number);
    const auto later = std::find_if(at + 1, heads->end(), [](const auto& each) {
      return each.first.has_value();
    });
    const auto end = later == heads->end() ? range.frame_end
                                           : later->first->number;
    auto added = blocks.add(disk, config, at->number, next, end);
    if (!added)
      return added;
  }
  if (next != range.frame_end)
    return lost(config, range.last, next, range.frame_end);
  return {};
}

} // namespace

result<void> remove_sealed(disk& disk, const journal_config& config,
                           std::uint32_t first, std::uint32_t newest,
                           std::uint32_t kept_before) {
  const auto listing = list_journal_files(disk, config);
  if (!listing)
    return tl::unexpected{listing.error()};
  for (const auto number : listing->numbers) {
    if (number >= std::min(first, newest))
      break;
    if (number < kept_before)
      continue;
    // One after the other: who makes the list of segments anew takes a gap in the
    // middle for a loss.
    auto gone = disk.unlink(journal_file_path(config, number)).and_then([&] {
      return in_step(safety_step::removal_order, [&] {
        return disk.sync_directory(config.directory);
      });
    });
    if (!gone)
      return gone;
  }
  return {};
}

result<segment_summary> seal_journal(disk& disk, const journal_config& journal,
                                     const seal_range& range,
                                     const std::string& directory,
                                     const segment_config& segment) {
  const auto path = directory + "/" + segment_file_name(segment.number);
  collected_blocks blocks;
  if (auto done = collect(blocks, disk, journal, range); !done)
    return tl::unexpected{done.error()};
  auto writer = segment_writer::create(disk, path, segment);
  if (!writer) // A file that is there is not ours to remove.
    return tl::unexpected{writer.error()};
  auto sealed = blocks.write(*writer).and_then([&] {
    return writer->finish();
  });
  const auto name = [&] { return disk.sync_directory(directory); };
  if (sealed)
    if (auto named = in_step(safety_step::segment_name_sync, name); !named)
      sealed = tl::unexpected{named.error()};
  if (!sealed) // Best effort: the next opening removes what is left.
    static_cast<void>(disk.unlink(path));
  return sealed;
}

} // namespace torpor
