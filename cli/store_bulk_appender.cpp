// SPDX-License-Identifier: Apache-2.0
#include "cli/store_bulk_appender.hpp"

#include "cli/json_entries.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

// Large enough for the disk, and together well below the memory budgets of a
// store, so that nothing is refused as overloaded.
constexpr std::size_t append_bytes = 512u << 10;
constexpr std::size_t append_entries = 4096;
constexpr std::uint64_t sent_cost_max = 16u << 20;
constexpr std::size_t sent_max = 16;

} // namespace

store_bulk_appender::store_bulk_appender(const runtime& store)
  : bulk_appender({append_bytes, append_entries}), store_(store) {}

result<bulk_progress> store_bulk_appender::meet(const std::string& stream) {
  current_.assign(1, store_.stream(stream));
  const auto info = current_.front().info().get();
  if (!info && info.error().code != errc::not_found)
    return tl::unexpected{info.error()};
  if (info && info->closed)
    return fail(
      errc::closed,
      fmt::format("stream '{}' is closed and takes no more entries", stream));
  json_ = info && takes_json(info->content_type);
  next_ = info ? info->next : sequence{};
  return bulk_progress{stream, next_, 0, 0, info.has_value()};
}

result<void>
store_bulk_appender::send(const std::vector<std::string_view>& payloads) {
  if (json_) {
    const auto& into = streams().back();
    auto fit = check_json_entries(into.stream, payloads,
                                  raw(next_) - raw(into.first));
    if (!fit)
      return fit;
  }
  std::vector<new_entry> entries;
  entries.reserve(payloads.size());
  std::size_t bytes = 0;
  for (const auto payload : payloads) {
    entries.push_back({as_bytes(payload), {}});
    bytes += payload.size();
  }
  const auto cost = write_batch::cost(1, payloads.size(), bytes);
  while (!sent_.empty()
         && (sent_.size() >= sent_max || sent_cost_ + cost > sent_cost_max))
    if (auto done = wait_one(); !done)
      return done;
  append_options how;
  how.expected_next = next_;
  sent_.push_back({streams().size() - 1, bytes, cost,
                   current_.front().append(entries, how)});
  sent_cost_ += cost;
  next_ = next_ + payloads.size();
  return {};
}

result<void> store_bulk_appender::wait_one() {
  auto oldest = std::move(sent_.front());
  sent_.pop_front();
  sent_cost_ -= oldest.cost;
  const auto answer = oldest.answer.get();
  if (!answer)
    return tl::unexpected{answer.error()};
  durable(oldest.stream).entries += answer->count;
  durable(oldest.stream).bytes += oldest.bytes;
  return {};
}

result<void> store_bulk_appender::wait() {
  result<void> outcome;
  while (!sent_.empty())
    if (auto done = wait_one(); !done && outcome)
      outcome = done;
  return outcome;
}

} // namespace torpor
