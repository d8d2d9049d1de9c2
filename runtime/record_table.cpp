// SPDX-License-Identifier: Apache-2.0
#include "runtime/record_table.hpp"

#include "runtime/assert.hpp"
#include "runtime/replay.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

std::uint8_t slot_of(std::string_view name) noexcept {
  return static_cast<std::uint8_t>(XXH3_64bits(name.data(), name.size()));
}

record_table::record_table(std::unique_ptr<catalog_reader> catalog,
                           std::uint32_t shard, std::uint32_t shards,
                           std::uint32_t cache_max, retention_rules rules)
  : catalog_(std::move(catalog)),
    shard_(shard),
    shards_(shards),
    cache_max_(cache_max),
    rules_(std::move(rules)),
    reviews_(shard, shards) {}

void record_table::number(std::uint8_t slot, std::uint64_t largest) noexcept {
  numbers_[slot] = std::max(numbers_[slot], largest);
}

result<record_table::row_index> record_table::find(stream_id id) {
  if (const auto known = ids_.find(id); known != none) {
    auto& row = rows_[known];
    row.recent = true;
    return row.removed ? none : known;
  }
  auto stored = catalog_->find(id);
  if (!stored)
    return tl::unexpected{stored.error()};
  if (!*stored)
    return none;
  // Each new row pays for looking at a few old ones.
  evict(16);
  ++clean_;
  return insert(id, std::move(**stored));
}

result<record_table::row_index> record_table::find(std::string_view name) {
  if (const auto known = names_.find(name); known != names_.end())
    return find(known->second);
  auto id = catalog_->find(name);
  if (!id)
    return tl::unexpected{id.error()};
  if (!*id)
    return none;
  return find(**id);
}

record_table::row_index record_table::create(std::string_view name,
                                             std::string_view content_type,
                                             const fork_origin& origin) {
  const auto slot = slot_of(name);
  const stream_id id{++numbers_[slot] << 8 | slot};
  stream_record record;
  record.name = name;
  record.first = record.next = origin.at;
  if (!content_type.empty())
    settings_of(record).content_type = content_type;
  if (origin.source != stream_id{})
    settings_of(record).origin = origin;
  const auto at = insert(id, std::move(record));
  rows_[at].unborn = true;
  rows_[at].fresh = true;
  names_.insert_or_assign(std::string{name}, id);
  return at;
}

void record_table::forget(row_index unborn) {
  names_.erase(rows_[unborn].record.name);
  erase(unborn);
}

record_table::row_index record_table::insert(stream_id id,
                                             stream_record record) {
  const auto at = rows_.take();
  auto& row = rows_[at];
  row = record_row{};
  row.id = id;
  row.record = std::move(record);
  row.recent = true;
  ids_.set(id, at);
  return at;
}

result<record_table::row_index> record_table::apply(const block_view& block) {
  auto found = find(block.stream);
  if (!found)
    return tl::unexpected{found.error()};
  auto at = *found;
  if (at == none) {
    // Only a replay meets a stream that nobody has created yet. One that was
    // removed later may come to life here; its removal follows.
    if (!block.creates || ids_.find(block.stream) != none)
      return none;
    if (is_beyond(block.stream))
      return fail(errc::corrupt,
                  fmt::format("a block creates stream {}, whose number no "
                              "stream can have",
                              raw(block.stream)));
    at = insert(block.stream, {});
    rows_[at].fresh = true;
    names_.insert_or_assign(std::string{block.name}, block.stream);
    number(static_cast<std::uint8_t>(raw(block.stream) % slots),
           raw(block.stream) >> 8);
  }
  apply(at, block);
  return at;
}

/// Numbers of a slot are dense from 1, but for those of creates that were lost.
/// What is far beyond was made by a faulty writer, and memory would follow it.
bool record_table::is_beyond(stream_id id) const noexcept {
  constexpr std::uint64_t most_lost = std::uint64_t{1} << 32;
  const auto known = numbers_[raw(id) % slots];
  const auto number = raw(id) >> 8;
  return number == 0 || (number > known && number - known > most_lost);
}

void record_table::apply(row_index at, const block_view& block) {
  mark_dirty(at);
  auto& row = rows_[at];
  row.unborn = false;
  const auto next = row.record.next;
  const auto last_ms = row.record.last_ms;
  deleted_bytes_ += torpor::apply(row.record, block);
  if (row.record.settings || !rules_.all().empty())
    note_retention(at, block, next, last_ms);
  if (block.removes) {
    row.removed = true;
    deleted_bytes_ += row.record.kept_bytes;
    const auto named = names_.find(row.record.name);
    if (named != names_.end() && named->second == row.id)
      names_.erase(named);
  }
}

retention_policy record_table::retention(row_index at) const {
  const auto& record = rows_[at].record;
  if (!record.settings && rules_.all().empty())
    return {};
  return rules_.of(record);
}

void record_table::note_retention(row_index at, const block_view& block,
                                  sequence next_before,
                                  std::int64_t last_before) {
  auto& record = rows_[at].record;
  const auto keep = rules_.of(record);
  if (raw(next_before) < raw(record.next))
    count_entries(record, keep, block, last_before);
  forget_entries(record);
  // A buried stream is looked at when it is buried, and then now and then.
  const auto buried = record.settings && record.settings->buried;
  if (!buried || block.buries)
    plan_review(at, keep, 0);
}

// A review that comes too early looks and plans the next one, so a time that is
// in the catalog stays there while it moves on: a busy stream costs nothing.
void record_table::plan_review(row_index at, const retention_policy& keep,
                               std::int64_t earliest_ms) {
  auto& row = rows_[at];
  const auto next = torpor::next_review(row.record, keep);
  const auto planned = row.record.settings ? row.record.settings->review_ms
                                           : 0;
  if (next == 0 ? planned == 0
                : planned > earliest_ms && planned <= next)
    return;
  mark_dirty(at);
  auto& review = settings_of(row.record).review_ms;
  review = next == 0 ? 0 : std::max(next, earliest_ms);
  reviews_.replace({planned, row.id}, {review, row.id});
}

void record_table::mark_dirty(row_index at) {
  auto& row = rows_[at];
  if (row.dirty)
    return;
  if (!row.saving && !row.unborn && !row.fresh)
    --clean_;
  row.dirty = true;
  dirty_.push_back(at);
}

/// Whether it is deleted and only kept for its forks. What cannot be read is
/// not: whoever asks for it is told why.
bool record_table::is_buried(stream_id id) const {
  const auto buried = [](const stream_record& record) {
    return record.settings && record.settings->buried;
  };
  if (const auto row = ids_.find(id); row != none)
    return buried(rows_[row].record);
  const auto stored = catalog_->find(id);
  return stored && *stored && buried(**stored);
}

result<std::vector<std::pair<std::string, stream_id>>>
record_table::list(std::string_view prefix, std::string_view after,
                   std::size_t count_max, listing which) {
  std::vector<std::pair<std::string, stream_id>> found;
  const auto shows = [&](stream_id id) {
    return which == listing::all || !is_buried(id);
  };
  auto fresh = after.empty() || after < prefix ? names_.lower_bound(prefix)
                                               : names_.upper_bound(after);
  const auto take_fresh = [&](std::string_view before, bool all) {
    for (; fresh != names_.end() && found.size() < count_max; ++fresh) {
      if (!fresh->first.starts_with(prefix)
          || (!all && fresh->first >= before))
        return;
      const auto row = ids_.find(fresh->second);
      if (row != none && !rows_[row].unborn && shows(fresh->second))
        found.emplace_back(fresh->first, fresh->second);
    }
  };
  for (std::string last{after}; found.size() < count_max;) {
    auto stored = catalog_->list(prefix, last, count_max, shard_, shards_);
    if (!stored)
      return tl::unexpected{stored.error()};
    for (auto& [name, id] : *stored) {
      take_fresh(name, false);
      if (found.size() >= count_max)
        return found;
      if (fresh != names_.end() && fresh->first == name)
        continue; // A newer stream of that name.
      const auto row = ids_.find(id);
      if ((row == none || !rows_[row].removed) && shows(id))
        found.emplace_back(name, id);
    }
    if (stored->size() < count_max) {
      take_fresh({}, true);
      break;
    }
    last = stored->back().first;
  }
  return found;
}

void record_table::begin_checkpoint() {
  TORPOR_ASSERT(checkpoint_.empty() && saving_.empty());
  checkpoint_.swap(dirty_);
}

std::vector<catalog_change> record_table::collect(std::size_t count_max) {
  TORPOR_ASSERT(saving_.empty());
  std::vector<catalog_change> changes;
  while (!checkpoint_.empty() && changes.size() < count_max) {
    const auto at = checkpoint_.back();
    checkpoint_.pop_back();
    auto& row = rows_[at];
    auto& change = changes.emplace_back();
    change.id = row.id;
    if (!row.removed)
      change.record = row.record.clone();
    row.dirty = false;
    row.saving = true;
    saving_.push_back(at);
  }
  return changes;
}

void record_table::saved(bool success) {
  for (const auto at : saving_) {
    auto& row = rows_[at];
    if (!success) {
      if (!row.dirty)
        dirty_.push_back(at);
      row.dirty = true;
      row.saving = false;
      continue;
    }
    row.saving = false;
    if (row.record.settings && !row.dirty)
      reviews_.saved({row.record.settings->review_ms, row.id});
    if (row.fresh) {
      // The catalog has the name now.
      row.fresh = false;
      const auto named = names_.find(row.record.name);
      if (named != names_.end() && named->second == row.id)
        names_.erase(named);
    }
    if (!row.dirty)
      mark_clean(at);
  }
  saving_.clear();
  if (!success) {
    dirty_.insert(dirty_.end(), checkpoint_.begin(), checkpoint_.end());
    checkpoint_.clear();
  }
}

void record_table::mark_clean(row_index at) {
  if (rows_[at].removed)
    erase(at);
  else
    ++clean_;
}

void record_table::erase(row_index at) {
  ids_.erase(rows_[at].id);
  rows_[at] = record_row{};
  rows_.release(at);
}

bool record_table::evict(std::size_t steps) {
  // The clock hand takes rows that were not used since it came by last.
  for (; clean_ > cache_max_ && steps > 0; --steps) {
    hand_ = hand_ + 1 < rows_.size() ? hand_ + 1 : 0;
    auto& row = rows_[hand_];
    if (row.id == stream_id{} || row.dirty || row.saving || row.unborn
        || row.awake != slab<int>::none || row.blocks.newest >= pinned_from_)
      continue;
    if (row.recent) {
      row.recent = false;
    } else {
      erase(hand_);
      --clean_;
    }
  }
  return clean_ > cache_max_;
}

} // namespace torpor
