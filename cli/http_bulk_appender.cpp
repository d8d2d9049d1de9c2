// SPDX-License-Identifier: Apache-2.0
#include "cli/http_bulk_appender.hpp"

#include "cli/http_streams.hpp"

#include <fmt/format.h>

#include <random>

namespace torpor {

namespace {

// A round trip and a sync each: large, but below what a daemon takes whose
// journal files have 1 MiB.
constexpr std::size_t append_bytes = 384u << 10;
constexpr std::size_t append_entries = 16u << 10;

/// Nobody else has it.
std::string fresh_id() {
  std::random_device random;
  return fmt::format("torpor-import-{:08x}{:08x}", random(), random());
}

} // namespace

http_bulk_appender::http_bulk_appender(http_streams& to)
  : bulk_appender({append_bytes, append_entries}), to_(to) {
  how_.producer = producer{fresh_id(), 0, 0};
}

result<bulk_progress> http_bulk_appender::meet(const std::string& stream) {
  how_.producer->number = 0;
  const auto tail = to_.tail(stream);
  if (tail && tail->closed)
    return fail(
      errc::closed,
      fmt::format("stream '{}' is closed and takes no more entries", stream));
  bulk_progress met;
  met.stream = stream;
  met.found = tail.has_value();
  // Who may only append is not told where it ends; the first answer tells it.
  met.first = tail ? tail->next_from : sequence{};
  return met;
}

result<void>
http_bulk_appender::send(const std::vector<std::string_view>& payloads) {
  const auto& into = streams().back();
  const auto done = to_.append(into.stream, payloads, how_, into.entries);
  if (!done && done.error().code == errc::too_large && payloads.size() > 1) {
    // It takes less at once.
    const auto half = payloads.begin()
                      + static_cast<std::ptrdiff_t>(payloads.size() / 2);
    return send({payloads.begin(), half}).and_then([&] {
      return send({half, payloads.end()});
    });
  }
  return done.map([&](const append_result& added) {
    auto& met = durable(streams().size() - 1);
    if (met.entries == 0)
      met.first = added.first;
    met.entries += added.count;
    for (const auto payload : payloads)
      met.bytes += payload.size();
    ++how_.producer->number;
  });
}

} // namespace torpor
