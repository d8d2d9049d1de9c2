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

/// Why no stream can be made of that name.
error stream_table::name_is_taken(const parsed_request& request,
                                  record_table::row_index row) const {
  const auto awake = records_[row].awake;
  if (is_buried(row))
    return buried(request.called());
  if (awake != none && awake_[awake].removed)
    return {errc::overloaded, fmt::format("stream '{}' is just being deleted; "
                                          "retry in a few ms",
                                          request.called())};
  return {errc::already_exists,
          fmt::format("stream '{}' exists", request.called())};
}

void stream_table::create(write_batch& batch, std::uint32_t index,
                          parsed_request& request) {
  auto found = resolve(request);
  if (!found)
    return refuse(batch, index, std::move(found.error()));
  if (*found != record_table::none)
    return refuse_when_durable(batch, index, *found,
                               name_is_taken(request, *found));
  if (full_)
    return refuse(batch, index, *full_);
  auto valid = check_policy(request.policy)
                 .and_then([&] { return check_retention(request.retention); })
                 .and_then([&] { return admit_sizes(request); });
  if (!valid)
    return refuse(batch, index, std::move(valid.error()));
  const auto row = records_.create(request.name, request.content_type,
                                   request.origin);
  if (!charge_tenant(row, request.cost))
    return refuse(batch, index, tenant_is_full(request, row));
  const auto at = wake(row);
  auto& builder = buffer(at);
  builder.create(request.name, request.content_type, request.origin);
  if (request.policy != sync_policy{})
    builder.policy(request.policy);
  if (request.retention != retention_policy{})
    builder.policy(request.retention);
  if (request.retention.ttl_ms != 0
      || records_.rules().of(request.name).ttl_ms != 0)
    builder.touch(clock_.wall_ms());
  const auto first = awake_[at].next;
  fill(at, request);
  batch.promise(index, {{}, false, request.head->entries, records_[row].id,
                        first, 0, request.head->closes});
  wait_durable(at, batch, index);
}

/// What a control request must not be. Errors: as documented for each.
result<void> stream_table::check_control(const parsed_request& request,
                                         record_table::row_index row) const {
  const auto kind = request.head->kind;
  const auto awake = row != record_table::none ? records_[row].awake : none;
  if (row == record_table::none || (awake != none && awake_[awake].removed))
    return fail(errc::not_found, fmt::format("stream '{}' does not exist",
                                             request.called()));
  if (is_buried(row) && kind != write_kind::unpin)
    return tl::unexpected{buried(request.called())};
  if (kind == write_kind::policy)
    return check_policy(request.policy);
  if (kind == write_kind::retention)
    return check_retention(request.retention);
  const auto next = awake == none ? records_[row].record.next
                                  : awake_[awake].next;
  if (kind == write_kind::truncate && raw(request.head->expected) > raw(next))
    return fail(errc::out_of_range,
                fmt::format("stream '{}' ends before sequence {}, it cannot "
                            "be truncated before {}",
                            printable(records_[row].record.name), raw(next),
                            raw(request.head->expected)));
  return {};
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
  if (auto valid = check_control(request, row); !valid)
    return refuse_when_durable(batch, index, row, std::move(valid.error()));
  if (kind == write_kind::pin)
    return pin(batch, index, request, row);
  if (kind == write_kind::unpin)
    return unpin(batch, index, request, row);
  const auto asleep = records_[row].awake == none;
  const auto& record = records_[row].record;
  const auto next = asleep ? record.next : awake_[records_[row].awake].next;
  batch.promise(index, {{}, false, 0, records_[row].id, next, 0,
                        kind == write_kind::close || is_closed(row)});
  const auto done = kind == write_kind::sync
                    || (kind == write_kind::close && record.closed)
                    || (kind == write_kind::truncate
                        && raw(request.head->expected) <= raw(record.first));
  if (asleep && done)
    return settle(batch);
  const auto at = wake(row);
  if (kind != write_kind::sync)
    change(at, request);
  wait_durable(at, batch, index);
}

/// Puts a control request into the stream's buffer.
void stream_table::change(awake_index at, const parsed_request& request) {
  auto& builder = buffer(at);
  switch (request.head->kind) {
    case write_kind::close:
      builder.close();
      awake_[at].closed = true;
      if (records_.retention(awake_[at].row).ttl_ms != 0)
        builder.touch(clock_.wall_ms());
      return;
    case write_kind::remove: return end(at);
    case write_kind::truncate: return builder.truncate(request.head->expected);
    case write_kind::retention:
      builder.policy(request.retention);
      builder.touch(clock_.wall_ms());
      break;
    default: builder.policy(request.policy);
  }
  charge(at, request.cost);
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
