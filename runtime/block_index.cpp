// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_index.hpp"

#include "runtime/assert.hpp"

#include <algorithm>

namespace torpor {

void block_index::add(block_chain& chain, const block_view& block,
                      block_place place) {
  if (block.count == 0)
    return;
  TORPOR_ASSERT(files_.empty() || files_.back().first <= place.file);
  if (files_.empty() || files_.back().first < place.file)
    files_.emplace_back(place.file, end_);
  const auto serial = end_;
  if (serial / chunk_rows - base_ == chunks_.size())
    chunks_.push_back(std::make_unique_for_overwrite<row[]>(chunk_rows));
  ++end_;
  if (!holds(chain)) {
    if (chain.length >= marked_every)
      marks_.erase(raw(block.stream));
    chain = {};
  }
  const auto back = chain.newest == 0 ? 0 : serial - chain.newest;
  chunks_[serial / chunk_rows - base_][serial % chunk_rows]
    = {block.first,
       block.last_ms,
       place,
       block.count,
       static_cast<std::uint32_t>(back),
       chain.length};
  if (chain.length % marked_every == marked_every - 1)
    marks_[raw(block.stream)].push_back(serial);
  chain.newest = serial;
  ++chain.length;
}

void block_index::drop(std::uint32_t file) {
  while (!files_.empty() && files_.front().first <= file)
    files_.pop_front();
  floor_ = files_.empty() ? end_ : files_.front().second;
  for (; !chunks_.empty() && (base_ + 1) * chunk_rows <= floor_; ++base_)
    chunks_.pop_front();
  for (auto known = marks_.begin(); known != marks_.end();) {
    auto& marked = known.value();
    while (!marked.empty() && marked.front() < floor_)
      marked.pop_front();
    known = marked.empty() ? marks_.erase(known) : std::next(known);
  }
}

/// Blocks from which walking back leads over the whole part of the chain that
/// is `behind`, in steps of at most 32 blocks, oldest first. `behind` holds for
/// a block and all after it.
template <class Predicate>
std::vector<std::uint64_t>
block_index::stations(const block_chain& chain, stream_id stream,
                      Predicate behind) const {
  std::vector<std::uint64_t> found;
  const auto known = marks_.find(raw(stream));
  if (known != marks_.end()) {
    const auto& marked = known->second;
    auto first = std::partition_point(
      marked.begin(), marked.end(),
      [&](std::uint64_t serial) {
        return serial < floor_ || !behind(at(serial));
      });
    found.assign(first, marked.end());
  }
  if (found.empty() || found.back() != chain.newest)
    found.push_back(chain.newest);
  return found;
}

std::vector<indexed_block>
block_index::find(const block_chain& chain, stream_id stream, sequence from,
                  std::uint64_t bytes_max, std::uint32_t blocks_max) const {
  std::vector<indexed_block> found;
  if (!holds(chain))
    return found;
  const auto behind = [from](const row& r) {
    return raw(r.first) + r.count > raw(from);
  };
  std::uint64_t bytes = 0;
  std::uint64_t done = 0; // Up to here everything was looked at.
  for (const auto station : stations(chain, stream, behind)) {
    std::vector<std::uint64_t> walk;
    for (auto serial = station; serial > done && behind(at(serial));
         serial = before(serial))
      walk.push_back(serial);
    done = station;
    for (auto serial = walk.rbegin(); serial != walk.rend(); ++serial) {
      if (found.size() >= blocks_max || (!found.empty() && bytes >= bytes_max))
        return found;
      const auto& here = at(*serial);
      found.push_back({here.first, here.place, here.count});
      bytes += here.place.bytes;
    }
  }
  return found;
}

std::optional<block_index::found_time>
block_index::find_time(const block_chain& chain, stream_id stream,
                       std::int64_t time_ms) const {
  const auto behind = [time_ms](const row& r) { return r.last_ms >= time_ms; };
  if (!holds(chain) || !behind(at(chain.newest)))
    return std::nullopt;
  auto serial = stations(chain, stream, behind).front();
  auto older = before(serial);
  for (; older != 0 && behind(at(older)); older = before(serial))
    serial = older;
  const auto end = older == 0 ? at(serial).first
                              : at(older).first + at(older).count;
  return found_time{at(serial).first, older == 0, end};
}

} // namespace torpor
