// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/assert.hpp"
#include "runtime/stream_name.hpp"
#include "torpor/write_batch.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace torpor {

/// One request with its bytes, as the batch has them.
struct parsed_request {
  const write_batch::request* head = nullptr;
  std::string_view name;
  std::string_view content_type; ///< Of a pin: the fork's name.
  std::string_view order;
  std::string_view producer_id;
  write_batch::producer_part producer;
  sync_policy policy;
  retention_policy retention;
  fork_origin origin;
  bytes_view bytes; ///< Of the entries.
  const write_batch::entry_size* sizes = nullptr;
  std::uint64_t cost = 0; ///< Against the memory budget.

  /// For messages.
  [[nodiscard]] std::string called() const {
    return head->id == stream_id{} ? printable(name)
                                   : fmt::format("#{}", raw(head->id));
  }
};

/// Walks over a batch, whose parts lie one after another. Threads: one owner.
class batch_cursor {
public:
  explicit batch_cursor(const write_batch& batch)
    : batch_(batch), bytes_(batch.bytes()) {}

  parsed_request next(std::size_t index) {
    parsed_request request;
    const auto& head = batch_.requests()[index];
    request.head = &head;
    const auto before = bytes_.size();
    request.name = as_text(take(head.name_bytes));
    request.content_type = as_text(take(head.type_bytes));
    request.order = as_text(take(head.order_bytes));
    if (head.has_producer) {
      request.producer = batch_.producers()[producer_++];
      request.producer_id = as_text(take(request.producer.id_bytes));
    }
    if (head.kind == write_kind::create || head.kind == write_kind::policy)
      request.policy = batch_.policies()[policy_++];
    if (head.kind == write_kind::create || head.kind == write_kind::retention)
      request.retention = batch_.retentions()[retention_++];
    if (head.kind == write_kind::create)
      request.origin = batch_.origins()[origin_++];
    request.sizes = batch_.entry_sizes().data() + entry_;
    entry_ += head.entries;
    std::size_t bytes = 0;
    for (std::uint32_t i = 0; i < head.entries; ++i)
      bytes += std::size_t{request.sizes[i].payload}
               + request.sizes[i].properties;
    request.bytes = take(bytes);
    request.cost = write_batch::cost(1, head.entries, before - bytes_.size());
    return request;
  }

private:
  bytes_view take(std::size_t bytes) {
    TORPOR_ASSERT(bytes <= bytes_.size());
    const auto taken = bytes_.first(bytes);
    bytes_ = bytes_.subspan(bytes);
    return taken;
  }

  const write_batch& batch_;
  bytes_view bytes_;
  std::size_t producer_ = 0;
  std::size_t policy_ = 0;
  std::size_t retention_ = 0;
  std::size_t origin_ = 0;
  std::size_t entry_ = 0;
};

} // namespace torpor
