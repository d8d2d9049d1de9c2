// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_update.hpp"

#include "runtime/assert.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace torpor {

result<void> lmdb_update::apply(const std::vector<catalog_change>& changes) {
  auto done = find_last();
  for (auto change = changes.begin(); done && change != changes.end();
       ++change) {
    TORPOR_ASSERT(change->id != stream_id{});
    auto& number = numbers_[raw(change->id) & 255];
    number = std::max(number, raw(change->id) >> 8);
    done = change->record ? put(change->id, *change->record)
                          : remove(change->id);
  }
  return done.and_then([&] { return put_numbers(); });
}

result<void> lmdb_update::set_state(const catalog_state& state) {
  const auto key = as_bytes(lmdb_databases::state_key);
  scratch_.clear();
  encode(state, scratch_);
  seal(key, scratch_);
  return transaction_.put(databases_.meta, key, scratch_);
}

result<void> lmdb_update::find_last() {
  if (auto opened = records_.open(databases_.records); !opened)
    return opened;
  const auto found = records_.move(MDB_LAST);
  if (!found)
    return tl::unexpected{found.error()};
  if (*found && records_.key().size() == sizeof last_)
    std::memcpy(&last_, records_.key().data(), sizeof last_);
  return {};
}

result<void> lmdb_update::put(stream_id id, const stream_record& record) {
  const auto review = record.settings ? record.settings->review_ms : 0;
  const auto appends = raw(id) > last_;
  last_ = std::max(last_, raw(id));
  const auto found = appends ? result<bool>{false}
                             : records_.move(MDB_SET_KEY, as_key(id));
  if (!found)
    return tl::unexpected{found.error()};
  if (*found) {
    const auto body = unseal(as_key(id), records_.value());
    const auto before = body ? review_in_record(*body) : 0;
    // A stream keeps its name, so that nothing else needs to be done.
    return write(id, record, MDB_CURRENT).and_then([&] {
      return move_review(id, before, review);
    });
  }
  // Appending leaves full pages behind instead of half-full ones.
  return write(id, record, appends ? MDB_APPEND : 0)
    .and_then([&] { return lead(record.name, id); })
    .and_then([&] { return move_review(id, 0, review); });
}

result<void> lmdb_update::remove(stream_id id) {
  const auto found = records_.move(MDB_SET_KEY, as_key(id));
  if (!found)
    return tl::unexpected{found.error()};
  if (!*found)
    return {};
  std::string name; // A copy: what the cursor shows ends with the next change.
  std::int64_t review = 0;
  if (const auto body = unseal(as_key(id), records_.value())) {
    name = name_in_record(*body);
    review = review_in_record(*body);
  }
  return records_.remove()
    .and_then([&]() -> result<void> { return forget(name, id); })
    .and_then([&] { return move_review(id, review, 0); });
}

result<void> lmdb_update::move_review(stream_id id, std::int64_t from_ms,
                                      std::int64_t to_ms) {
  if (from_ms == to_ms)
    return {};
  if (from_ms != 0)
    if (auto gone = transaction_.remove(databases_.reviews,
                                        encode(stream_review{from_ms, id}));
        !gone)
      return gone;
  if (to_ms == 0)
    return {};
  const auto key = encode(stream_review{to_ms, id});
  scratch_.clear();
  seal(key, scratch_);
  return transaction_.put(databases_.reviews, key, scratch_);
}

result<void> lmdb_update::write(stream_id id, const stream_record& record,
                                unsigned flags) {
  scratch_.clear();
  encode(record, scratch_);
  seal(as_key(id), scratch_);
  return records_.put(as_key(id), scratch_, flags);
}

result<void> lmdb_update::lead(std::string_view name, stream_id id) {
  const split_name at{name};
  const auto value = transaction_.get(databases_.names, as_bytes(at.key));
  if (!value)
    return tl::unexpected{value.error()};
  if (!*value)
    return set_name(name, {}, id);
  const auto body = unseal(as_bytes(at.key), **value);
  if (!body) // Stays, so that lookups go on to report the damage.
    return {};
  const auto target = find_target(*body, at.rest);
  if (target && raw(*target) >= raw(id))
    return {};
  return set_name(name, *body, id);
}

result<void> lmdb_update::forget(std::string_view name, stream_id id) {
  if (name.empty()) // The record was damaged.
    return {};
  const split_name at{name};
  const auto value = transaction_.get(databases_.names, as_bytes(at.key));
  if (!value)
    return tl::unexpected{value.error()};
  const auto body = *value ? unseal(as_bytes(at.key), **value) : std::nullopt;
  if (!body || find_target(*body, at.rest) != id)
    return {};
  return set_name(name, *body, std::nullopt);
}

result<void> lmdb_update::set_name(std::string_view name, bytes_view body,
                                   std::optional<stream_id> id) {
  const split_name at{name};
  const auto key = as_bytes(at.key);
  scratch_.clear();
  set_target(body, at.rest, id, scratch_);
  if (scratch_.empty())
    return transaction_.remove(databases_.names, key);
  seal(key, scratch_);
  return transaction_.put(databases_.names, key, scratch_);
}

result<void> lmdb_update::put_numbers() {
  for (std::uint32_t slot = 0; slot < numbers_.size(); ++slot) {
    if (numbers_[slot] == 0)
      continue;
    const auto value = transaction_.get(databases_.numbers, as_key(slot));
    if (!value)
      return tl::unexpected{value.error()};
    const auto body = *value ? unseal(as_key(slot), **value) : std::nullopt;
    if (*value && !body)
      return fail_damaged(transaction_, "the largest number of a slot");
    if (body && decode_number(*body).value_or(0) >= numbers_[slot])
      continue;
    scratch_.clear();
    encode_number(numbers_[slot], scratch_);
    seal(as_key(slot), scratch_);
    auto put = transaction_.put(databases_.numbers, as_key(slot), scratch_);
    if (!put)
      return put;
  }
  return {};
}

} // namespace torpor
