// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_index.hpp"

namespace torpor {

void block_index::add(const block_view& block, block_place place) {
  if (block.count == 0)
    return;
  const auto at = rows_.take();
  row added{block.first, block.last_ms, place, block.count, at, 0, at, 0};
  const auto [found, fresh] = newest_.try_emplace(raw(block.stream), at);
  if (!fresh) {
    const auto before = found->second;
    auto& last = rows_[before];
    const auto& jump = rows_[last.far];
    // Two jumps of the same length become one jump over both.
    const auto joins = last.depth - jump.depth
                       == jump.depth - rows_[jump.far].depth;
    added.before = before;
    added.depth = last.depth + 1;
    added.far = joins && last.depth > 0 ? jump.far : before;
    last.after = at;
    found.value() = at;
  }
  rows_[at] = added;
}

template <class Predicate>
std::uint32_t block_index::oldest(std::uint32_t newest,
                                  Predicate behind) const {
  if (!behind(rows_[newest]))
    return none;
  auto at = newest;
  while (rows_[at].before != at) {
    if (rows_[at].far != at && behind(rows_[rows_[at].far]))
      at = rows_[at].far;
    else if (behind(rows_[rows_[at].before]))
      at = rows_[at].before;
    else
      break;
  }
  return at;
}

std::vector<indexed_block> block_index::find(stream_id stream, sequence from,
                                             std::uint64_t bytes_max) const {
  std::vector<indexed_block> found;
  const auto newest = newest_.find(raw(stream));
  if (newest == newest_.end())
    return found;
  auto at = oldest(newest->second, [from](const row& r) {
    return raw(r.first) + r.count > raw(from);
  });
  std::uint64_t bytes = 0;
  while (at != none && (found.empty() || bytes < bytes_max)) {
    found.push_back({rows_[at].first, rows_[at].place});
    bytes += rows_[at].place.bytes;
    at = rows_[at].after != 0 ? rows_[at].after : none;
  }
  return found;
}

std::optional<sequence> block_index::find_time(stream_id stream,
                                               std::int64_t time_ms) const {
  const auto newest = newest_.find(raw(stream));
  if (newest == newest_.end())
    return std::nullopt;
  const auto at = oldest(newest->second, [time_ms](const row& r) {
    return r.last_ms >= time_ms;
  });
  if (at == none)
    return std::nullopt;
  return rows_[at].first;
}

} // namespace torpor
