// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_index.hpp"

namespace torpor {

void block_index::add(const block_view& block, block_place place) {
  if (block.count == 0)
    return;
  free_some();
  const auto at = rows_.take();
  row added{block.first, block.last_ms, place, block.count, at, none, at, 0};
  if (const auto before = newest_.find(block.stream); before != none) {
    auto& last = rows_[before];
    const auto& jump = rows_[last.far];
    // Two jumps of the same length become one jump over both.
    const auto joins = last.depth - jump.depth
                       == jump.depth - rows_[jump.far].depth;
    added.before = before;
    added.depth = last.depth + 1;
    added.far = joins && last.depth > 0 ? jump.far : before;
    last.after = at;
  }
  newest_.set(block.stream, at);
  rows_[at] = added;
}

void block_index::remove(stream_id stream) {
  const auto newest = newest_.find(stream);
  if (newest == none)
    return;
  removed_.push_back(newest);
  newest_.erase(stream);
}

void block_index::free_some() {
  for (int left = 4; left > 0 && !removed_.empty(); --left) {
    const auto at = removed_.back();
    const auto before = rows_[at].before;
    if (before != at)
      removed_.back() = before;
    else
      removed_.pop_back();
    rows_.release(at);
  }
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
                                             std::uint64_t bytes_max,
                                             std::uint32_t blocks_max) const {
  std::vector<indexed_block> found;
  const auto newest = newest_.find(stream);
  if (newest == none)
    return found;
  auto at = oldest(newest, [from](const row& r) {
    return raw(r.first) + r.count > raw(from);
  });
  std::uint64_t bytes = 0;
  while (at != none && found.size() < blocks_max
         && (found.empty() || bytes < bytes_max)) {
    const auto& here = rows_[at];
    found.push_back({here.first, here.place, here.count});
    bytes += here.place.bytes;
    at = here.after;
  }
  return found;
}

std::optional<sequence> block_index::find_time(stream_id stream,
                                               std::int64_t time_ms) const {
  const auto newest = newest_.find(stream);
  if (newest == none)
    return std::nullopt;
  const auto at = oldest(newest, [time_ms](const row& r) {
    return r.last_ms >= time_ms;
  });
  if (at == none)
    return std::nullopt;
  return rows_[at].first;
}

} // namespace torpor
