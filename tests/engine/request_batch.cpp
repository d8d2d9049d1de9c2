// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

namespace torpor::test {

std::string payload_of(std::uint64_t tag, std::size_t entry,
                       std::size_t padding) {
  return fmt::format("{}/{}/{:x>{}}", tag, entry, "", padding);
}

std::unique_ptr<write_batch> to_batch(const history::write_request& request,
                                      std::uint64_t tag) {
  auto batch = std::make_unique<write_batch>();
  append_options how;
  how.ack = request.ack;
  how.producer = request.by;
  how.order = request.order;
  how.closes = request.closes;
  switch (request.kind) {
    case write_kind::append:
      batch->append({{}, request.stream}, how);
      for (const auto& payload : request.payloads)
        batch->add(as_bytes(payload));
      break;
    case write_kind::create: batch->create(request.stream); break;
    case write_kind::policy:
      batch->set_policy({{}, request.stream}, {50, 4096, 0});
      break;
    case write_kind::truncate:
      batch->truncate({{}, request.stream}, request.before);
      break;
    default: batch->control(request.kind, {{}, request.stream});
  }
  batch->tag(tag);
  return batch;
}

std::string describe(const history::write_request& request,
                     std::uint64_t tag) {
  return fmt::format("{} kind {} '{}' x{} before {} {}", tag,
                     static_cast<int>(request.kind), request.stream,
                     request.payloads.size(), raw(request.before),
                     request.ack == ack::durable ? "durable" : "buffered");
}

} // namespace torpor::test
