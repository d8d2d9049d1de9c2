// SPDX-License-Identifier: Apache-2.0
#include "cli/entry_frames.hpp"

namespace torpor {

namespace {

// u32 payload bytes, u32 property bytes, i64 time; little-endian.
constexpr std::size_t header_bytes = 16;

void put(std::string& into, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    into += static_cast<char>(value >> 8 * i & 0xff);
}

std::uint64_t get(bytes_view from, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value |= std::to_integer<std::uint64_t>(from[i]) << 8 * i;
  return value;
}

} // namespace

std::string to_entry_frames(const std::vector<std::string_view>& payloads) {
  std::size_t bytes = 0;
  for (const auto payload : payloads)
    bytes += header_bytes + payload.size();
  std::string body;
  body.reserve(bytes);
  for (const auto payload : payloads) {
    put(body, payload.size(), 4);
    body.append(header_bytes - 4, '\0'); // No properties, the daemon's time.
    body += payload;
  }
  return body;
}

result<std::vector<entry_view>> read_entry_frames(bytes_view body) {
  std::vector<entry_view> entries;
  while (!body.empty()) {
    const auto whole = body.size() >= header_bytes;
    const auto payload = whole ? get(body, 4) : 0;
    const auto properties = whole ? get(body.subspan(4), 4) : 0;
    if (!whole || body.size() - header_bytes < payload + properties)
      return fail(errc::corrupt,
                  "the server's answer ends in the middle of an entry");
    auto& entry = entries.emplace_back();
    entry.time_ms = static_cast<std::int64_t>(get(body.subspan(8), 8));
    entry.encoded = body.subspan(header_bytes, properties);
    entry.payload = body.subspan(header_bytes + properties, payload);
    body = body.subspan(header_bytes + properties + payload);
  }
  return entries;
}

} // namespace torpor
