// SPDX-License-Identifier: Apache-2.0
#include "server/entries_body.hpp"

#include "runtime/wire.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

constexpr std::size_t head_bytes = 16;

} // namespace

std::string entries_body(const std::vector<entry_view>& entries) {
  std::size_t bytes = 0;
  for (const auto& each : entries)
    bytes += head_bytes + each.encoded.size() + each.payload.size();
  std::string body(bytes, '\0');
  wire_writer out{reinterpret_cast<std::byte*>(body.data())};
  for (const auto& each : entries) {
    out.u32(static_cast<std::uint32_t>(each.payload.size()));
    out.u32(static_cast<std::uint32_t>(each.encoded.size()));
    out.u64(static_cast<std::uint64_t>(each.time_ms));
    out.raw(each.encoded);
    out.raw(each.payload);
  }
  return body;
}

result<std::vector<std::string_view>> payloads_of(std::string_view body) {
  std::vector<std::string_view> payloads;
  const auto whole = body;
  while (!body.empty()) {
    const auto broken = [&] {
      return fail(
        errc::invalid_argument,
        fmt::format("the body ends in the middle of the entry at byte "
                    "{}",
                    whole.size() - body.size()));
    };
    if (body.size() < head_bytes)
      return broken();
    wire_reader head{as_bytes(body.substr(0, head_bytes))};
    const std::size_t payload = head.u32();
    const std::size_t properties = head.u32();
    if (body.size() - head_bytes < payload + properties)
      return broken();
    payloads.push_back(body.substr(head_bytes + properties, payload));
    body.remove_prefix(head_bytes + properties + payload);
  }
  return payloads;
}

} // namespace torpor
