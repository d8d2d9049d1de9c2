// SPDX-License-Identifier: Apache-2.0
#include "runtime/seal_plan.hpp"

#include "runtime/frame_reader.hpp"

#include <algorithm>

namespace torpor {

namespace {

/// So many files are sealed however little is in them.
constexpr std::uint32_t files_max = 16;

/// A clean stop leaves at most this much to be replayed.
constexpr std::uint64_t replay_bytes = 4u << 20;

} // namespace

result<file_head> read_file_head(disk& disk, const journal_config& config,
                            std::uint32_t number) {
  auto reader = frame_reader::open(disk, journal_file_path(config, number),
                                   number, config.store);
  if (!reader)
    return tl::unexpected{reader.error()};
  const auto first = reader->find(0, {});
  if (!first)
    return tl::unexpected{first.error()};
  file_head head{number, reader->size(), {}};
  if (*first && (*first)->offset == 0)
    head.first = (*first)->header;
  return head;
}

result<std::optional<seal_range>>
plan_seal(disk& disk, const journal_config& config, const seal_range& all) {
  const auto listing = list_journal_files(disk, config);
  if (!listing)
    return tl::unexpected{listing.error()};
  auto range = all;
  range.last = 0;
  range.frame_end = 0;
  std::uint64_t bytes = 0;
  for (const auto number : listing->numbers) {
    if (number < all.first || number > all.last + 1)
      continue;
    const auto head = read_file_head(disk, config, number);
    if (!head)
      return tl::unexpected{head.error()};
    if (head->first && range.last != 0) {
      range.frame_end = head->first->number;
      // A fenced file may have no frame that counts: then one more.
      if (bytes >= config.file_bytes && range.frame_end > range.frame_first)
        break;
    }
    if (number > all.last)
      break;
    range.last = number;
    range.frame_end = 0; // Until the next one is seen.
    bytes += head->bytes;
  }
  if (range.frame_end == 0)
    range.frame_end = all.frame_end;
  const auto half = config.file_bytes / 2;
  const auto least = all.frame_end != 0 ? std::min(replay_bytes, half) : half;
  const auto enough = bytes >= least
                      || range.last + 1 >= range.first + files_max;
  return enough && range.last != 0 && range.frame_end > range.frame_first
           ? std::optional{range}
           : std::nullopt;
}

result<std::optional<std::uint64_t>>
first_frame(disk& disk, const journal_config& config, std::uint32_t file) {
  const auto listing = list_journal_files(disk, config);
  if (!listing)
    return tl::unexpected{listing.error()};
  for (const auto number : listing->numbers) {
    if (number < file)
      continue;
    const auto head = read_file_head(disk, config, number);
    if (!head)
      return tl::unexpected{head.error()};
    if (head->first)
      return head->first->number;
  }
  return std::nullopt;
}

} // namespace torpor
