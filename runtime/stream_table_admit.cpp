// SPDX-License-Identifier: Apache-2.0
// The part of stream_table that decides whether a request may come in.
#include "runtime/batch_cursor.hpp"
#include "runtime/stream_name.hpp"
#include "runtime/stream_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

/// It will stand in headers.
bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~'; });
}

} // namespace

result<void> stream_table::admit_sizes(const parsed_request& request) const {
  const auto too_large = [&](std::string what, std::uint64_t is,
                             std::uint64_t most) {
    return fail(errc::too_large,
                fmt::format("append to '{}': {} is {} bytes, the limit is {}",
                            request.called(), what, is, most));
  };
  const auto count = request.head->entries;
  const auto appends = request.head->kind == write_kind::append;
  if (count == 0 && appends && !request.head->closes)
    return fail(errc::invalid_argument,
                fmt::format("append to '{}' has no entries",
                            request.called()));
  if (request.content_type.size() > limits::content_type_bytes_max)
    return too_large("the content type", request.content_type.size(),
                     limits::content_type_bytes_max);
  if (!is_printable_ascii(request.content_type))
    return fail(errc::invalid_argument,
                fmt::format("'{}': its content type '{}' has other than "
                            "printable ASCII characters",
                            request.called(), printable(request.content_type)));
  if (request.order.size() > limits::order_bytes_max)
    return too_large("the order", request.order.size(),
                     limits::order_bytes_max);
  if (count > limits::append_entries_max)
    return fail(errc::too_large,
                fmt::format("append to '{}' has {} entries, the limit is {}",
                            request.called(), count,
                            limits::append_entries_max));
  for (std::uint32_t i = 0; i < count; ++i) {
    if (request.sizes[i].payload > limits::payload_bytes_max)
      return too_large(fmt::format("entry {}", i), request.sizes[i].payload,
                       limits::payload_bytes_max);
    if (request.sizes[i].properties > limits::properties_bytes_max)
      return too_large(fmt::format("entry {}'s properties", i),
                       request.sizes[i].properties,
                       limits::properties_bytes_max);
  }
  const auto most = std::min<std::uint64_t>(limits::append_bytes_max,
                                            config_.block_bytes_max / 2);
  const auto encoded = request.bytes.size() + std::uint64_t{count} * 16;
  if (encoded > most)
    return fail(errc::too_large,
                fmt::format("append to '{}': it is {} bytes, the limit is {}; "
                            "append less at once{}",
                            request.called(), encoded, most,
                            most < limits::append_bytes_max
                              ? ", or raise journal.file-bytes"
                              : ""));
  const auto id_bytes = request.producer_id.size();
  if (request.head->has_producer
      && (id_bytes == 0 || id_bytes > limits::producer_id_bytes_max))
    return fail(errc::invalid_argument,
                fmt::format("append to '{}': a producer id has 1 to {} bytes",
                            request.called(), limits::producer_id_bytes_max));
  return {};
}

result<void> stream_table::admit_memory(const parsed_request& request,
                                        record_table::row_index row) {
  const auto overloaded = [&](std::string_view what, std::uint64_t limit) {
    make_due(records_[row].awake); // So that a retry finds room.
    return fail(errc::overloaded,
                fmt::format("append to '{}': {} of {} bytes is used up; retry "
                            "in a few ms",
                            request.called(), what, limit));
  };
  if (row == record_table::none || records_[row].awake == none)
    return {};
  const auto& stream = awake_[records_[row].awake];
  if (stream.charge + stream.flight_charge + request.cost
      > config_.stream_bytes_max)
    return overloaded("memory.stream-bytes-max", config_.stream_bytes_max);
  if (stream.buffer != nullptr
      && stream.buffer->builder.bytes_max() + request.bytes.size()
             + block_builder::stamp_bytes(request.producer_id.size()
                                          + request.content_type.size())
             + std::uint64_t{request.head->entries} * 16
           > config_.block_bytes_max / 2)
    return overloaded("the stream's block", config_.block_bytes_max / 2);
  return {};
}

/// The producer with what is not durable yet, or null.
const producer_state*
stream_table::remembered(record_table::row_index row,
                         std::string_view producer) {
  const auto& dormant = records_[row];
  const auto* recent = dormant.awake != none
                         ? awake_[dormant.awake].producers.get()
                         : nullptr;
  if (const auto* state = find_producer(recent, producer))
    return state;
  // As many as a stream remembers wrote since it woke: all others are out.
  if (recent != nullptr && recent->size() >= producers_max)
    return nullptr;
  return find_producer(dormant.record.producers.get(), producer);
}

producer_verdict stream_table::judge_producer(const parsed_request& request,
                                              record_table::row_index row) {
  const auto* state = row != record_table::none
                        ? remembered(row, request.producer_id)
                        : nullptr;
  return judge(state, request.producer.epoch, request.producer.number);
}

bool stream_table::is_closed(record_table::row_index row) const {
  const auto& dormant = records_[row];
  return dormant.awake != none ? awake_[dormant.awake].closed
                               : dormant.record.closed;
}

/// Of the newest append that had one, durable or not.
std::string_view stream_table::order(record_table::row_index row) const {
  const auto& dormant = records_[row];
  if (dormant.awake != none && !awake_[dormant.awake].order.empty())
    return awake_[dormant.awake].order;
  return dormant.record.settings ? std::string_view{
           dormant.record.settings->order}
                                 : std::string_view{};
}

/// Whether the stream is in the state that the append expects.
result<void> stream_table::admit_order(const parsed_request& request,
                                       record_table::row_index row) const {
  const auto& dormant = records_[row];
  const auto* stream = dormant.awake != none ? &awake_[dormant.awake] : nullptr;
  const auto& set = dormant.record.settings;
  const auto type = set ? std::string_view{set->content_type}
                        : std::string_view{};
  if (!request.content_type.empty() && request.content_type != type)
    return fail(errc::mismatch,
                fmt::format("append of '{}' to '{}', whose content type is "
                            "'{}'",
                            printable(request.content_type), request.called(),
                            printable(type)));
  const auto next = stream != nullptr ? stream->next : dormant.record.next;
  if (request.head->has_expected && request.head->expected != next)
    return fail(errc::conflict,
                fmt::format("append to '{}' expected next sequence {}, it is "
                            "{}",
                            request.called(), raw(request.head->expected),
                            raw(next)));
  if (!request.order.empty() && request.order <= order(row))
    return fail(errc::conflict,
                fmt::format("append to '{}' has the order '{}', which is not "
                            "behind '{}'",
                            request.called(), printable(request.order),
                            printable(order(row))));
  return {};
}

result<void> stream_table::admit(const parsed_request& request,
                                 record_table::row_index row) {
  if (full_ && (request.head->entries > 0 || row == record_table::none))
    return tl::unexpected{*full_};
  if (row == record_table::none) {
    if (request.head->has_expected && raw(request.head->expected) != 0)
      return fail(errc::conflict,
                  fmt::format("append to '{}' expected next sequence {}, the "
                              "stream is new: 0",
                              request.called(), raw(request.head->expected)));
    return admit_memory(request, row);
  }
  if (is_closed(row))
    return fail(errc::closed,
                fmt::format("stream '{}' is closed and takes no more entries",
                            request.called()));
  return admit_order(request, row).and_then([&] {
    return admit_memory(request, row);
  });
}

bool stream_table::charge_tenant(record_table::row_index row,
                                 std::uint64_t cost) {
  const auto awake = records_[row].awake;
  auto* tenant = awake != none ? awake_[awake].tenant
                               : budget_.tenant(records_[row].record.name);
  return tenant == nullptr || tenant->try_charge(cost);
}

error stream_table::tenant_is_full(const parsed_request& request,
                                   record_table::row_index row) {
  const auto* tenant = budget_.tenant(records_[row].record.name);
  // A stream that was only just named stays unborn and is forgotten.
  if (records_[row].unborn && records_[row].awake == none)
    records_.forget(row);
  if (request.cost > tenant->limit())
    return {errc::too_large,
            fmt::format("append to '{}': it takes {} bytes of memory, its "
                        "tenant's share (memory.tenants, "
                        "memory.tenant-bytes-max) is {}",
                        request.called(), request.cost, tenant->limit())};
  relieve();
  out_.relief = true;
  return {errc::overloaded,
          fmt::format("'{}': its tenant's share of {} bytes is used up; retry "
                      "in a few ms",
                      request.called(), tenant->limit())};
}

/// Whether there is a stream to append to, or it may be made.
result<void> stream_table::admit_stream(const parsed_request& request,
                                        record_table::row_index row) const {
  if (row == record_table::none) {
    if (config_.create_on_append && request.head->creates
        && request.head->id == stream_id{})
      return {};
    return fail(errc::not_found, fmt::format("stream '{}' does not exist",
                                             request.called()));
  }
  if (is_buried(row))
    return tl::unexpected{buried(request.called())};
  const auto awake = records_[row].awake;
  if (awake != none && awake_[awake].removed)
    return fail(errc::not_found, fmt::format("stream '{}' is being deleted",
                                             request.called()));
  return {};
}

} // namespace torpor
