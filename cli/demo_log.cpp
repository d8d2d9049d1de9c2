// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_log.hpp"

namespace torpor {

namespace {

/// Keeps the counter apart from the requests.
constexpr std::size_t header_bytes = 64;

} // namespace

result<request_log> request_log::make(std::size_t capacity) {
  return shared_memory::make(header_bytes + capacity * sizeof(slot))
    .map([capacity](shared_memory memory) {
      return request_log{std::move(memory), capacity};
    });
}

std::optional<std::uint64_t> request_log::sent(std::uint32_t stream,
                                               std::uint32_t line) {
  const auto number = size();
  if (number == capacity_)
    return std::nullopt;
  auto& noted = slot_at(number);
  noted.stream = stream;
  noted.line = line;
  head().size.store(number + 1, std::memory_order_release);
  return number;
}

void request_log::acknowledged(std::uint64_t number, sequence place) {
  slot_at(number).next.store(static_cast<std::uint32_t>(raw(place) + 1),
                             std::memory_order_release);
  // No read-modify-write: there is one writer.
  head().answers.store(answers() + 1, std::memory_order_relaxed);
}

request_log::request request_log::at(std::size_t number) const {
  const auto& noted = slot_at(number);
  const auto next = noted.next.load(std::memory_order_acquire);
  request found{noted.stream, noted.line, std::nullopt};
  if (next > 0)
    found.acknowledged = sequence{next - 1};
  return found;
}

// Memory of zeros is a valid header and valid slots.
request_log::header& request_log::head() const noexcept {
  return *reinterpret_cast<header*>(memory_.data());
}

request_log::slot& request_log::slot_at(std::size_t number) const noexcept {
  return reinterpret_cast<slot*>(memory_.data() + header_bytes)[number];
}

} // namespace torpor
