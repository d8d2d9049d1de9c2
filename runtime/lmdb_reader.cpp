// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_reader.hpp"

#include "runtime/assert.hpp"
#include "runtime/lmdb_pages.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace torpor {

namespace {

using name_list = std::vector<std::pair<std::string, stream_id>>;

std::string describe_name(std::string_view name) {
  return fmt::format("the entry of name '{}'", name);
}

/// Collects one page of names, which come in their order.
class name_page {
public:
  name_page(std::string_view prefix, std::string_view after,
            std::size_t count_max, std::uint32_t shard, std::uint32_t shards)
    : prefix_{prefix},
      after_{after},
      count_max_{count_max},
      shard_{shard},
      shards_{shards} {}

  /// The names to look at begin here.
  [[nodiscard]] std::string_view from() const {
    return std::max(prefix_, after_);
  }

  [[nodiscard]] bool full() const { return names.size() >= count_max_; }

  /// Takes what belongs to the page; false when no later name does.
  bool add(std::string_view key, bytes_view body) {
    name_targets targets{body};
    while (const auto target = targets.next()) {
      name_.assign(key).append(target->rest);
      if (name_ < from() || name_ == after_)
        continue;
      if (!name_.starts_with(prefix_) || full())
        return false;
      if (raw(target->id) % 256 % shards_ == shard_)
        names.emplace_back(name_, target->id);
    }
    return !full();
  }

  name_list names;

private:
  std::string_view prefix_;
  std::string_view after_;
  std::size_t count_max_;
  std::uint32_t shard_;
  std::uint32_t shards_;
  std::string name_;
};

result<void> collect(const lmdb_transaction& transaction, MDB_dbi names,
                     name_page& page) {
  lmdb_cursor cursor{transaction};
  if (auto opened = cursor.open(names); !opened)
    return opened;
  const auto from = split_name{page.from()}.key;
  auto found = from.empty() ? cursor.move(MDB_FIRST)
                            : cursor.move(MDB_SET_RANGE, as_bytes(from));
  while (found && *found) {
    const auto body = unseal(cursor.key(), cursor.value());
    if (!body)
      return fail_damaged(transaction, describe_name(as_text(cursor.key())));
    if (!page.add(as_text(cursor.key()), *body))
      return {};
    found = cursor.move(MDB_NEXT);
  }
  return found.map([](bool) {});
}

result<void> collect(const lmdb_transaction& transaction, MDB_dbi reviews,
                     stream_review after, stream_review until,
                     std::size_t count_max, std::uint32_t shard,
                     std::uint32_t shards, std::vector<stream_review>& into) {
  lmdb_cursor cursor{transaction};
  if (auto opened = cursor.open(reviews); !opened)
    return opened;
  const auto from = encode(after);
  auto found = cursor.move(MDB_SET_RANGE, from);
  for (; found && *found && into.size() < count_max;
       found = cursor.move(MDB_NEXT)) {
    const auto review = decode_review(cursor.key());
    if (!review) // Damaged: the record still says when, to who looks at it.
      continue;
    if (*review > until)
      return {};
    if (*review > after && raw(review->stream) % 256 % shards == shard)
      into.push_back(*review);
  }
  return found.map([](bool) {});
}

/// Looks at every row of a database, which the error calls `rows`.
result<void> check(const lmdb_transaction& transaction, MDB_dbi database,
                   std::string_view rows) {
  const auto counted = transaction.entries(database);
  if (!counted)
    return tl::unexpected{counted.error()};
  lmdb_cursor cursor{transaction};
  if (auto opened = cursor.open(database); !opened)
    return opened;
  std::uint64_t seen = 0;
  auto found = cursor.move(MDB_FIRST);
  for (; found && *found; found = cursor.move(MDB_NEXT)) {
    ++seen;
    if (!unseal(cursor.key(), cursor.value()))
      return fail_damaged(transaction, fmt::format("one of its {}", rows));
  }
  if (found && seen != *counted)
    return fail_damaged(transaction,
                        fmt::format("its tree of {} ({} of {} are there)", rows,
                                    seen, *counted));
  return found.map([](bool) {});
}

/// Whether there is no tree with a name that nobody knows.
result<void> check_names(const lmdb_transaction& transaction,
                         std::uint64_t known) {
  constexpr MDB_dbi trees = 1; // LMDB's handle of its own.
  return transaction.entries(trees).and_then(
    [&](std::uint64_t found) -> result<void> {
      if (found != known)
        return fail_damaged(transaction, "its list of trees");
      return {};
    });
}

} // namespace

lmdb_databases lmdb_source::databases() {
  const std::lock_guard lock{mutex_};
  return databases_;
}

result<lmdb_databases> lmdb_source::reopen(const lmdb_databases& failed) {
  const std::lock_guard lock{mutex_};
  if (databases_.environment != failed.environment)
    return databases_;
  // Without locks: nobody writes any more, and a second environment of this
  // process must not touch the lock file.
  auto opened = lmdb_databases::open(failed.environment->directory(),
                                     lmdb_access::read_unlocked);
  if (opened)
    databases_ = *opened;
  return opened;
}

lmdb_reader::lmdb_reader(std::shared_ptr<lmdb_source> source)
  : source_{std::move(source)},
    databases_{source_->databases()} {
  transaction_.emplace(databases_.environment);
}

result<void> lmdb_reader::begin() {
  int rc = transaction_->begin_read();
  if (rc == MDB_PANIC) {
    auto reopened = source_->reopen(databases_);
    if (!reopened)
      return tl::unexpected{std::move(reopened.error())};
    databases_ = std::move(*reopened);
    transaction_.emplace(databases_.environment);
    rc = transaction_->begin_read();
  }
  if (rc != 0)
    return transaction_->failed("begin", rc);
  return {};
}

result<std::optional<stream_record>> lmdb_reader::find(stream_id id) {
  const auto describe = [id] {
    return fmt::format("the record of stream {}", raw(id));
  };
  return lookup([&]() -> result<std::optional<stream_record>> {
    const auto body = get_sealed(*transaction_, databases_.records, as_key(id),
                                 describe);
    if (!body)
      return tl::unexpected{body.error()};
    if (!*body)
      return std::nullopt;
    auto record = decode_record(**body);
    if (!record)
      return fail_damaged(*transaction_, describe());
    return std::move(*record);
  });
}

result<std::optional<stream_id>> lmdb_reader::find(std::string_view name) {
  if (name.empty() || name.size() > limits::name_bytes_max)
    return std::nullopt;
  const split_name at{name};
  return lookup([&]() -> result<std::optional<stream_id>> {
    const auto body = get_sealed(*transaction_, databases_.names,
                                 as_bytes(at.key),
                                 [&] { return describe_name(name); });
    if (!body)
      return tl::unexpected{body.error()};
    if (!*body)
      return std::nullopt;
    return find_target(**body, at.rest);
  });
}

result<name_list> lmdb_reader::list(std::string_view prefix,
                                    std::string_view after,
                                    std::size_t count_max, std::uint32_t shard,
                                    std::uint32_t shards) {
  TORPOR_ASSERT(shard < shards);
  name_page page{prefix, after, count_max, shard, shards};
  if (page.full())
    return name_list{};
  return lookup([&]() -> result<name_list> {
    return collect(*transaction_, databases_.names, page).map([&] {
      return std::move(page.names);
    });
  });
}

result<std::vector<stream_review>>
lmdb_reader::reviews(stream_review after, stream_review until,
                     std::size_t count_max, std::uint32_t shard,
                     std::uint32_t shards) {
  TORPOR_ASSERT(shard < shards);
  return lookup([&]() -> result<std::vector<stream_review>> {
    std::vector<stream_review> found;
    if (databases_.reviews == 0)
      return found;
    return collect(*transaction_, databases_.reviews, after, until, count_max,
                   shard, shards, found)
      .map([&] { return std::move(found); });
  });
}

result<catalog_state> lmdb_reader::state() {
  return lookup([&]() -> result<catalog_state> {
    const auto describe = [] { return "its state"; };
    const auto body = get_sealed(*transaction_, databases_.meta,
                                 as_bytes(lmdb_databases::state_key), describe);
    if (!body)
      return tl::unexpected{body.error()};
    const auto state = *body ? decode_state(**body) : std::nullopt;
    if (!state)
      return fail_damaged(*transaction_, describe());
    return *state;
  });
}

result<std::uint64_t> lmdb_reader::count() {
  return lookup([&] { return transaction_->entries(databases_.records); });
}

result<std::vector<std::uint64_t>> lmdb_reader::numbers() {
  return lookup([&]() -> result<std::vector<std::uint64_t>> {
    std::vector<std::uint64_t> numbers(256);
    for (std::uint32_t slot = 0; slot < numbers.size(); ++slot) {
      const auto describe = [slot] {
        return fmt::format("the number of slot {}", slot);
      };
      const auto body = get_sealed(*transaction_, databases_.numbers,
                                   as_key(slot), describe);
      if (!body)
        return tl::unexpected{body.error()};
      if (!*body)
        continue;
      const auto number = decode_number(**body);
      if (!number)
        return fail_damaged(*transaction_, describe());
      numbers[slot] = *number;
    }
    return numbers;
  });
}

result<void> lmdb_reader::verify() {
  return lookup([&] {
    const std::pair<MDB_dbi, std::string_view> all[]{
      {databases_.meta, "facts"},      {databases_.records, "records"},
      {databases_.names, "names"},     {databases_.numbers, "numbers"},
      {databases_.reviews, "reviews"},
    };
    auto checked = check_pages(transaction_->directory(), lmdb_look::all);
    std::uint64_t trees = 0;
    for (const auto& [database, rows] : all) {
      if (!checked || database == 0)
        continue;
      ++trees;
      checked = check(*transaction_, database, rows);
    }
    return checked.and_then([&] { return check_names(*transaction_, trees); });
  });
}

} // namespace torpor
