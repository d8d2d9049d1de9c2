// SPDX-License-Identifier: Apache-2.0
// The part of stream_table that takes requests in, and appends.
#include "runtime/batch_cursor.hpp"
#include "runtime/stream_name.hpp"
#include "runtime/stream_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

void stream_table::write(std::unique_ptr<write_batch> owned) {
  // From here on the batch belongs to its open answers.
  auto& batch = *owned.release();
  const auto count = static_cast<std::uint32_t>(batch.size());
  batch.hold(count + 1);
  const auto bytes = batch.memory_bytes();
  // What frees memory is let in over the budget.
  if (!batch.queued() && !batch.adds()) {
    budget_.all().charge(bytes);
    batch.queued(true);
  }
  if (batch.queued() || budget_.all().try_charge(bytes)) {
    batch.queued(false);
    prefetch(batch);
    batch_cursor cursor{batch};
    for (std::uint32_t i = 0; i < count; ++i) {
      auto request = cursor.next(i);
      released_ += request.cost; // Unless a buffer takes it over.
      handle(batch, i, request);
    }
  } else {
    relieve();
    for (std::uint32_t i = 0; i < count; ++i)
      refuse(batch, i,
             {errc::overloaded,
              fmt::format("{} bytes are buffered, memory.buffered-bytes-max "
                          "is {}; retry in a few ms",
                          budget_.all().used(), budget_.all().limit())});
  }
  batch.trim();
  settle(batch);
  end_call();
}

/// Most streams of a batch are in no cache; the waits for their rows overlap
/// when all are asked for at once.
void stream_table::prefetch(const write_batch& batch) {
  for (const auto& request : batch.requests())
    records_.prefetch(request.id);
  for (const auto& request : batch.requests())
    if (const auto row = records_.in_memory(request.id);
        row != record_table::none)
      records_.prefetch(row);
}

void stream_table::settle(write_batch& batch) {
  if (batch.settle())
    out_.done.emplace_back(&batch);
}

void stream_table::refuse(write_batch& batch, std::uint32_t index, error why) {
  ++stats_.refused;
  if (batch.fail(index, std::move(why)))
    out_.done.emplace_back(&batch);
}

/// A refusal may rest on what is not durable yet: then it waits until that is,
/// or a crash could prove it wrong. Who would not have waited for an append does
/// not wait for this either.
void stream_table::refuse_when_durable(write_batch& batch, std::uint32_t index,
                                       record_table::row_index row, error why) {
  const auto at = row == record_table::none ? none : records_[row].awake;
  if (at == none || batch.requests()[index].ack == ack::buffered)
    return refuse(batch, index, std::move(why));
  ++stats_.refused;
  batch.promise(index, std::move(why));
  wait_durable(at, batch, index);
}

void stream_table::handle(write_batch& batch, std::uint32_t index,
                          parsed_request& request) {
  if (failed_)
    return refuse(batch, index, *failed_);
  if (stopping_)
    return refuse(batch, index, {errc::shut_down, "the runtime is stopping"});
  switch (request.head->kind) {
    case write_kind::append: return append(batch, index, request);
    case write_kind::create: return create(batch, index, request);
    default: return control(batch, index, request);
  }
}

result<record_table::row_index>
stream_table::resolve(const parsed_request& request) {
  auto found = result<record_table::row_index>{record_table::none};
  if (request.head->id != stream_id{})
    found = records_.find(request.head->id);
  else if (auto valid = check_name(request.name); !valid)
    return tl::unexpected{valid.error()};
  else
    found = records_.find(request.name);
  if (!found || *found == record_table::none || !is_gone(*found))
    return found;
  // Its name is free for a new one at once, unless its forks need it.
  remove_expired(*found);
  return is_buried(*found) ? *found : record_table::none;
}

// -- append -------------------------------------------------------------------

void stream_table::append(write_batch& batch, std::uint32_t index,
                          parsed_request& request) {
  if (auto fits = admit_sizes(request); !fits)
    return refuse(batch, index, std::move(fits.error()));
  auto found = resolve(request);
  if (!found)
    return refuse(batch, index, std::move(found.error()));
  auto row = *found;
  if (auto there = admit_stream(request, row); !there)
    return refuse_when_durable(batch, index, row, std::move(there.error()));
  if (request.head->has_producer) {
    const auto verdict = judge_producer(request, row);
    if (verdict.kind == producer_verdict::duplicate)
      return answer_duplicate(batch, index, row, verdict);
    if (verdict.kind == producer_verdict::refuse)
      return refuse_producer(batch, index, request, row, verdict);
  } else if (row != record_table::none && request.head->entries == 0
             && is_closed(row)) {
    return answer_closed(batch, index, row);
  }
  if (auto welcome = admit(request, row); !welcome) {
    promise_refusal(batch, index, request, row);
    const auto code = welcome.error().code;
    return code == errc::closed || code == errc::conflict
             ? refuse_when_durable(batch, index, row,
                                   std::move(welcome.error()))
             : refuse(batch, index, std::move(welcome.error()));
  }
  const auto creates = row == record_table::none;
  if (creates)
    row = records_.create(request.name, request.content_type);
  if (!charge_tenant(row, request.cost))
    return refuse(batch, index, tenant_is_full(request, row));
  const auto at = wake(row);
  auto& stream = awake_[at];
  const auto first = stream.next;
  if (creates)
    buffer(at).create(request.name, request.content_type);
  fill(at, request);
  batch.promise(index, {{}, false, request.head->entries, stream.id, first,
                        request.producer.number, stream.closed});
  if (request.head->ack == ack::durable)
    stream.waiters.push_back({&batch, index});
  else
    settle(batch);
  due_by_policy(at, request.head->ack);
}

/// Adds to the refusal of an append what its sender wants to know then.
void stream_table::promise_refusal(write_batch& batch, std::uint32_t index,
                                   const parsed_request& request,
                                   record_table::row_index row) {
  write_outcome known;
  known.producer = request.producer.number;
  if (row != record_table::none) {
    const auto& dormant = records_[row];
    known.stream = dormant.id;
    known.closed = is_closed(row);
    known.first = dormant.awake != none ? awake_[dormant.awake].next
                                        : dormant.record.next;
  }
  batch.promise(index, known);
}

void stream_table::refuse_producer(write_batch& batch, std::uint32_t index,
                                   const parsed_request& request,
                                   record_table::row_index row,
                                   const producer_verdict& verdict) {
  write_outcome known;
  known.producer = verdict.expected;
  batch.promise(index, known);
  refuse_when_durable(
    batch, index, row,
    {verdict.code,
     fmt::format("append to '{}' by producer '{}' with epoch {} and number "
                 "{}: {} {}",
                 request.called(), printable(request.producer_id),
                 request.producer.epoch, request.producer.number,
                 verdict.code == errc::fenced ? "the epoch is now"
                                              : "expected number",
                 verdict.expected)});
}

/// Puts a request's entries, and what came with them, into the stream's buffer.
void stream_table::fill(awake_index at, const parsed_request& request) {
  auto& stream = awake_[at];
  auto& builder = buffer(at);
  if (request.head->entries > 0)
    stream.last_ms = std::max(stream.last_ms,
                              std::max<std::int64_t>(clock_.wall_ms(), 0));
  auto rest = request.bytes;
  for (std::uint32_t i = 0; i < request.head->entries; ++i) {
    const auto size = request.sizes[i];
    builder.add(rest.subspan(size.properties, size.payload),
                rest.first(size.properties), stream.last_ms);
    rest = rest.subspan(std::size_t{size.properties} + size.payload);
  }
  if (request.head->has_producer)
    note_producer(stream, request);
  if (!request.order.empty()) {
    builder.order(request.order);
    stream.order = request.order;
  }
  if (request.head->closes) {
    builder.close();
    stream.closed = true;
    if (records_.retention(stream.row).ttl_ms != 0)
      builder.touch(clock_.wall_ms());
  }
  stream.next = builder.next();
  if (request.head->ack == ack::buffered) {
    stream.buffer->keep = true;
    if (stream.flight != nullptr)
      stream.flight->keep = true;
  }
  // An answered append leaves nothing but its bytes behind.
  const auto held = request.head->ack == ack::durable
                      ? request.cost
                      : write_batch::cost(0, 0, request.bytes.size())
                          + std::uint64_t{request.head->entries} * 16;
  if (stream.tenant != nullptr)
    stream.tenant->release(request.cost - held);
  stream.charge += held;
  released_ -= held;
  stats_.appends += request.head->entries;
}

/// The entries that were just added are an append of a producer.
void stream_table::note_producer(awake_stream& stream,
                                 const parsed_request& request) {
  stream.buffer->builder.stamp(request.producer_id, request.producer.epoch,
                               request.producer.number, request.head->entries);
  const auto* known = remembered(stream.row, request.producer_id);
  if (known != nullptr
      && find_producer(stream.producers.get(), request.producer_id)
           == nullptr) {
    if (!stream.producers)
      stream.producers = std::make_unique<producer_table>();
    stream.producers->push_back(*known);
  }
  torpor::note_producer(stream.producers,
                        {request.producer_id, request.producer.epoch,
                         request.producer.number, stream.next,
                         request.head->entries});
}

/// A producer's retry: the first answer again, as soon as it is true.
void stream_table::answer_duplicate(write_batch& batch, std::uint32_t index,
                                    record_table::row_index row,
                                    const producer_verdict& verdict) {
  const auto& record = records_[row].record;
  const auto at = records_[row].awake;
  const auto known = verdict.answer.count > 0;
  const auto first = known        ? verdict.answer.first
                     : at != none ? awake_[at].next
                                  : record.next;
  // The first try may not be durable yet either.
  const auto waits = at != none && (!known || raw(first) >= raw(record.next));
  // Who hears of the end takes the place for it.
  const auto next = waits ? awake_[at].next : record.next;
  const auto closed = (waits ? is_closed(row) : record.closed)
                      && first + verdict.answer.count == next;
  batch.promise(index, {{}, true, verdict.answer.count, records_[row].id, first,
                        verdict.expected - 1, closed});
  if (!waits)
    return settle(batch);
  wait_durable(at, batch, index);
}

/// A close of what is closed already.
void stream_table::answer_closed(write_batch& batch, std::uint32_t index,
                                 record_table::row_index row) {
  const auto at = records_[row].awake;
  const auto next = at != none ? awake_[at].next : records_[row].record.next;
  batch.promise(index, {{}, false, 0, records_[row].id, next, 0, true});
  if (at == none)
    return settle(batch);
  wait_durable(at, batch, index);
}

} // namespace torpor
