// SPDX-License-Identifier: Apache-2.0
#include "cli/bulk_appender.hpp"

#include <utility>

namespace torpor {

result<void> bulk_appender::begin(const std::string& stream) {
  return flush()
    .and_then([&] { return meet(stream); })
    .map([&](bulk_progress met) { streams_.push_back(std::move(met)); });
}

result<void> bulk_appender::append(std::string_view payload) {
  if (!sizes_.empty() && bytes() + payload.size() > most_.bytes)
    if (auto done = flush(); !done)
      return done;
  payloads_ += payload;
  sizes_.push_back(payload.size());
  if (bytes() < most_.bytes && sizes_.size() < most_.entries)
    return {};
  return flush();
}

result<void> bulk_appender::flush() {
  if (sizes_.empty())
    return {};
  std::vector<std::string_view> payloads;
  payloads.reserve(sizes_.size());
  for (std::string_view rest = payloads_; const auto size : sizes_) {
    payloads.push_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  auto sent = send(payloads);
  payloads_.clear();
  sizes_.clear();
  return sent;
}

result<void> bulk_appender::finish() {
  auto outcome = flush();
  // All answers are taken, but the first error tells what happened.
  if (auto done = wait(); !done && outcome)
    outcome = done;
  return outcome;
}

} // namespace torpor
