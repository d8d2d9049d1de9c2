// SPDX-License-Identifier: Apache-2.0
#include "cli/bulk_appender.hpp"

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

result<void> bulk_appender::begin(const std::string& stream) {
  if (auto sent = send(); !sent)
    return sent;
  current_.assign(1, store_.stream(stream));
  const auto info = current_.front().info().get();
  if (!info && info.error().code != errc::not_found)
    return tl::unexpected{info.error()};
  if (info && info->closed)
    return fail(
      errc::closed,
      fmt::format("stream '{}' is closed and takes no more entries", stream));
  next_ = info ? info->next : sequence{};
  streams_.push_back({stream, next_, 0, 0, info.has_value()});
  return {};
}

result<void> bulk_appender::append(std::string_view payload) {
  payloads_ += payload;
  sizes_.push_back(payload.size());
  if (payloads_.size() < append_bytes && sizes_.size() < append_entries)
    return {};
  return send();
}

result<void> bulk_appender::send() {
  if (sizes_.empty())
    return {};
  const auto cost = write_batch::cost(1, sizes_.size(), payloads_.size());
  while (!sent_.empty()
         && (sent_.size() >= sent_max || sent_cost_ + cost > sent_cost_max))
    if (auto done = wait_one(); !done)
      return done;
  std::vector<new_entry> entries;
  entries.reserve(sizes_.size());
  for (std::string_view rest = payloads_; const auto size : sizes_) {
    entries.push_back({as_bytes(rest.substr(0, size)), {}});
    rest.remove_prefix(size);
  }
  append_options how;
  how.expected_next = next_;
  sent_.push_back({streams_.size() - 1, payloads_.size(), cost,
                   current_.front().append(entries, how)});
  sent_cost_ += cost;
  next_ = next_ + sizes_.size();
  payloads_.clear();
  sizes_.clear();
  return {};
}

result<void> bulk_appender::wait_one() {
  auto oldest = std::move(sent_.front());
  sent_.pop_front();
  sent_cost_ -= oldest.cost;
  const auto answer = oldest.answer.get();
  if (!answer)
    return tl::unexpected{answer.error()};
  streams_[oldest.stream].entries += answer->count;
  streams_[oldest.stream].bytes += oldest.bytes;
  return {};
}

result<void> bulk_appender::finish() {
  auto outcome = send();
  // All answers are taken, but the first error tells what happened.
  while (!sent_.empty())
    if (auto done = wait_one(); !done && outcome)
      outcome = done;
  return outcome;
}

} // namespace torpor
