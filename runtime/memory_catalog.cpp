// SPDX-License-Identifier: Apache-2.0
#include "runtime/assert.hpp"
#include "runtime/catalog.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

namespace torpor {

namespace {

/// The rows that a catalog shares with its readers.
/// Threads: any; guarded by mutex_.
class memory_table {
public:
  result<std::optional<stream_record>> find(stream_id id) {
    const std::lock_guard lock{mutex_};
    const auto row = records_.find(id);
    if (row == records_.end())
      return std::nullopt;
    return decode_record(row->second);
  }

  std::optional<stream_id> find(std::string_view name) {
    const std::lock_guard lock{mutex_};
    const auto row = names_.find(name);
    if (row == names_.end())
      return std::nullopt;
    return row->second;
  }

  std::vector<std::pair<std::string, stream_id>>
  list(std::string_view prefix, std::string_view after, std::size_t count_max,
       std::uint32_t shard, std::uint32_t shards) {
    TORPOR_ASSERT(shard < shards);
    const std::lock_guard lock{mutex_};
    std::vector<std::pair<std::string, stream_id>> page;
    auto row = after < prefix ? names_.lower_bound(prefix)
                              : names_.upper_bound(after);
    for (; row != names_.end() && page.size() < count_max
           && row->first.starts_with(prefix);
         ++row)
      if (raw(row->second) % 256 % shards == shard)
        page.push_back(*row);
    return page;
  }

  std::vector<stream_review> reviews(stream_review after, stream_review until,
                                     std::size_t count_max, std::uint32_t shard,
                                     std::uint32_t shards) {
    const std::lock_guard lock{mutex_};
    std::vector<stream_review> page;
    for (auto row = reviews_.upper_bound(after);
         row != reviews_.end() && *row <= until && page.size() < count_max;
         ++row)
      if (raw(row->stream) % 256 % shards == shard)
        page.push_back(*row);
    return page;
  }

  catalog_state state() {
    const std::lock_guard lock{mutex_};
    return state_;
  }

  std::uint64_t count() {
    const std::lock_guard lock{mutex_};
    return records_.size();
  }

  std::vector<std::uint64_t> numbers() {
    const std::lock_guard lock{mutex_};
    return numbers_;
  }

  void update(const std::vector<catalog_change>& changes,
              const std::optional<catalog_state>& state) {
    const std::lock_guard lock{mutex_};
    for (const auto& change : changes) {
      TORPOR_ASSERT(change.id != stream_id{});
      auto& number = numbers_[raw(change.id) & 255];
      number = std::max(number, raw(change.id) >> 8);
      if (change.record)
        put(change.id, *change.record);
      else
        remove(change.id);
    }
    state_ = state.value_or(state_);
  }

private:
  void put(stream_id id, const stream_record& record) {
    const auto [row, fresh] = records_.try_emplace(id);
    forget_review(id, row->second);
    row->second.clear();
    encode(record, row->second);
    if (const auto time = review_in_record(row->second); time != 0)
      reviews_.insert({time, id});
    if (!fresh) // A stream keeps its name.
      return;
    auto& target = names_[record.name];
    target = std::max(target, id); // The newest stream of a name has it.
  }

  void remove(stream_id id) {
    const auto row = records_.find(id);
    if (row == records_.end())
      return;
    const auto name = names_.find(name_in_record(row->second));
    if (name != names_.end() && name->second == id)
      names_.erase(name);
    forget_review(id, row->second);
    records_.erase(row);
  }

  void forget_review(stream_id id, const std::vector<std::byte>& record) {
    if (!record.empty())
      reviews_.erase({review_in_record(record), id});
  }

  std::mutex mutex_;
  std::map<stream_id, std::vector<std::byte>> records_;
  std::map<std::string, stream_id, std::less<>> names_;
  std::set<stream_review> reviews_;
  std::vector<std::uint64_t> numbers_ = std::vector<std::uint64_t>(256);
  catalog_state state_;
};

class memory_reader final : public catalog_reader {
public:
  explicit memory_reader(std::shared_ptr<memory_table> table)
    : table_{std::move(table)} {}

  result<std::optional<stream_record>> find(stream_id id) override {
    return table_->find(id);
  }

  result<std::optional<stream_id>> find(std::string_view name) override {
    return table_->find(name);
  }

  result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after, std::size_t count_max,
       std::uint32_t shard, std::uint32_t shards) override {
    return table_->list(prefix, after, count_max, shard, shards);
  }

  result<std::vector<stream_review>>
  reviews(stream_review after, stream_review until, std::size_t count_max,
          std::uint32_t shard, std::uint32_t shards) override {
    return table_->reviews(after, until, count_max, shard, shards);
  }

private:
  std::shared_ptr<memory_table> table_;
};

class memory_catalog final : public catalog {
public:
  std::unique_ptr<catalog_reader> reader() override {
    return std::make_unique<memory_reader>(table_);
  }

  result<catalog_state> state() override { return table_->state(); }

  result<std::uint64_t> count() override { return table_->count(); }

  result<void> update(std::vector<catalog_change>& changes,
                      std::optional<catalog_state> state) override {
    table_->update(changes, state);
    return {};
  }

  result<std::vector<std::uint64_t>> numbers() override {
    return table_->numbers();
  }

private:
  std::shared_ptr<memory_table> table_ = std::make_shared<memory_table>();
};

} // namespace

std::unique_ptr<catalog> make_memory_catalog() {
  return std::make_unique<memory_catalog>();
}

} // namespace torpor
