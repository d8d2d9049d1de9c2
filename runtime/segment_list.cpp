// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_list.hpp"

#include <algorithm>

namespace torpor {

std::shared_ptr<const segment_list>
segment_list::with(const std::vector<segment_summary>& segments) const {
  std::shared_ptr<segment_list> next{new segment_list{open_}};
  for (const auto& summary : segments) {
    const auto known = std::find_if(
      slots_.begin(), slots_.end(), [&](const auto& each) {
        return each->summary().number == summary.number;
      });
    next->slots_.push_back(known != slots_.end()
                             ? *known
                             : std::make_shared<listed_segment>(summary));
  }
  return next;
}

result<std::optional<segment_list::found>>
segment_list::look(std::size_t at, stream_id stream) const {
  auto opened = open(at);
  if (!opened)
    return tl::unexpected{opened.error()};
  const auto row = (*opened)->find(stream);
  if (!row)
    return tl::unexpected{row.error()};
  if (!*row)
    return std::nullopt;
  return found{std::move(*opened), **row};
}

// A stream's sequences grow from one segment to the next, so each segment that
// has the stream halves what is left. One that lacks it tells nothing: then its
// neighbours are asked, until one has the stream.
result<std::optional<segment_list::found>>
segment_list::find(stream_id stream, sequence wanted) const {
  std::size_t begin = 0;
  std::size_t end = slots_.size();
  while (begin < end) {
    const auto middle = begin + (end - begin) / 2;
    auto at = middle;
    auto seen = look(at, stream);
    while (seen && !*seen && ++at < end)
      seen = look(at, stream);
    if (!seen)
      return find_beside(stream, wanted, seen.error());
    if (!*seen) {
      end = middle; // Nothing from the middle on.
      continue;
    }
    const auto& row = (*seen)->row;
    if (raw(wanted) < raw(row.first))
      end = middle;
    else if (raw(wanted) >= raw(row.next))
      begin = at + 1;
    else
      return seen;
  }
  return std::nullopt;
}

/// Asks all, for one cannot be read. Damage to it costs who is in it, and no
/// others: `why` is the answer only if no other has the entry.
result<std::optional<segment_list::found>>
segment_list::find_beside(stream_id stream, sequence wanted,
                          const error& why) const {
  for (std::size_t at = 0; at < slots_.size(); ++at)
    if (const auto seen = look(at, stream); seen && *seen)
      if (const auto& row = (*seen)->row;
          raw(wanted) >= raw(row.first) && raw(wanted) < raw(row.next))
        return seen;
  return tl::unexpected{why};
}

result<std::optional<segment_list::found>>
segment_list::find_time(stream_id stream, sequence from,
                        std::int64_t time_ms) const {
  std::optional<error> unread;
  for (std::size_t at = 0; at < slots_.size(); ++at) {
    if (summary(at).last_ms < time_ms)
      continue;
    auto seen = look(at, stream);
    if (!seen && !unread)
      unread = seen.error();
    if (!seen || !*seen || (*seen)->row.last_ms < time_ms
        || raw((*seen)->row.next) <= raw(from))
      continue;
    // What cannot be read may have one that comes before, if there is any.
    if (unread && raw((*seen)->row.first) > raw(from))
      break;
    return seen;
  }
  if (unread)
    return tl::unexpected{*unread};
  return std::nullopt;
}

} // namespace torpor
