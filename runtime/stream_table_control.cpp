// SPDX-License-Identifier: Apache-2.0
// The part of stream_table that handles every request but appends.
#include "runtime/batch_cursor.hpp"
#include "runtime/stream_name.hpp"
#include "runtime/stream_table.hpp"

#include <fmt/format.h>

namespace torpor {

// -- everything else ----------------------------------------------------------

void stream_table::wait_durable(awake_index at, write_batch& batch,
                                std::uint32_t index) {
  auto& stream = awake_[at];
  if (stream.buffer != nullptr) {
    stream.waiters.push_back({&batch, index});
    make_due(at);
  } else if (stream.flight != nullptr) {
    stream.flight_waiters.push_back({&batch, index});
  } else {
    settle(batch);
  }
}

/// Holds the budget until the stream's buffer is durable.
void stream_table::charge(awake_index at, std::uint64_t cost) {
  auto& stream = awake_[at];
  if (stream.tenant != nullptr)
    stream.tenant->charge(cost);
  stream.charge += cost;
  released_ -= cost;
}

void stream_table::create(write_batch& batch, std::uint32_t index,
                          parsed_request& request) {
  auto found = resolve(request);
  if (!found)
    return refuse(batch, index, std::move(found.error()));
  if (*found != record_table::none)
    return refuse(batch, index,
                  {errc::already_exists, fmt::format("stream '{}' exists",
                                                     request.called())});
  if (full_)
    return refuse(batch, index, *full_);
  auto valid = check_policy(request.policy).and_then([&] {
    return check_retention(request.retention);
  });
  if (!valid)
    return refuse(batch, index, std::move(valid.error()));
  const auto row = records_.create(request.name);
  const auto at = wake(row);
  auto& builder = buffer(at);
  builder.create(request.name);
  if (request.policy != sync_policy{})
    builder.policy(request.policy);
  if (request.retention != retention_policy{})
    builder.policy(request.retention);
  if (request.retention.ttl_ms != 0
      || records_.rules().of(request.name).ttl_ms != 0)
    builder.touch(clock_.wall_ms());
  charge(at, request.cost);
  batch.promise(index, {{}, false, 0, records_[row].id, {}});
  wait_durable(at, batch, index);
}

void stream_table::control(write_batch& batch, std::uint32_t index,
                           parsed_request& request) {
  const auto kind = request.head->kind;
  if (kind == write_kind::sync && request.head->id == stream_id{}
      && request.name.empty())
    return sync_all(batch, index);
  auto found = resolve(request);
  if (!found)
    return refuse(batch, index, std::move(found.error()));
  const auto row = *found;
  const auto gone = row == record_table::none
                    || (records_[row].awake != none
                        && awake_[records_[row].awake].removed);
  if (gone)
    return refuse(batch, index,
                  {errc::not_found, fmt::format("stream '{}' does not exist",
                                                request.called())});
  auto valid = result<void>{};
  if (kind == write_kind::policy)
    valid = check_policy(request.policy);
  else if (kind == write_kind::retention)
    valid = check_retention(request.retention);
  if (!valid)
    return refuse(batch, index, std::move(valid.error()));
  const auto asleep = records_[row].awake == none;
  const auto next = asleep ? records_[row].record.next
                           : awake_[records_[row].awake].next;
  const auto truncates = kind == write_kind::truncate;
  const auto before = request.head->expected;
  if (truncates && raw(before) > raw(next))
    return refuse(batch, index,
                  {errc::out_of_range,
                   fmt::format("stream '{}' ends before sequence {}, it cannot "
                               "be truncated before {}",
                               printable(records_[row].record.name), raw(next),
                               raw(before))});
  batch.promise(index, {{}, false, 0, records_[row].id, next});
  const auto done = kind == write_kind::sync
                    || (kind == write_kind::close
                        && records_[row].record.closed)
                    || (truncates
                        && raw(before) <= raw(records_[row].record.first));
  if (asleep && done)
    return settle(batch);
  const auto at = wake(row);
  if (kind != write_kind::sync) {
    auto& builder = buffer(at);
    if (kind == write_kind::close) {
      builder.close();
      awake_[at].closed = true;
    } else if (kind == write_kind::remove) {
      builder.remove();
      awake_[at].removed = true;
    } else if (truncates) {
      builder.truncate(before);
    } else if (kind == write_kind::retention) {
      builder.policy(request.retention);
      builder.touch(clock_.wall_ms());
      charge(at, request.cost);
    } else {
      builder.policy(request.policy);
      charge(at, request.cost);
    }
  }
  wait_durable(at, batch, index);
}

void stream_table::sync_all(write_batch& batch, std::uint32_t index) {
  for (awake_index at = 0; at < awake_.size(); ++at) {
    const auto& stream = awake_[at];
    if (stream.buffer == nullptr && stream.flight == nullptr)
      continue;
    batch.hold(1);
    wait_durable(at, batch, index);
  }
  settle(batch);
}

} // namespace torpor
