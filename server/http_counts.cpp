// SPDX-License-Identifier: Apache-2.0
#include "server/http_counts.hpp"

#include <algorithm>

namespace torpor {

std::size_t method_index(boost::beast::http::verb method) noexcept {
  using boost::beast::http::verb;
  switch (method) {
    case verb::get: return 0;
    case verb::head: return 1;
    case verb::post: return 2;
    case verb::put: return 3;
    case verb::delete_: return 4;
    case verb::options: return 5;
    default: return 6;
  }
}

std::uint64_t http_totals::of_class(std::size_t digit) const noexcept {
  std::uint64_t sum = 0;
  for (const auto& method : requests)
    sum += method[digit - 1];
  return sum;
}

void http_counts::request(boost::beast::http::verb method,
                          unsigned status) noexcept {
  const auto digit = std::clamp(status / 100, 1u, 5u);
  requests_[method_index(method)][digit - 1].add();
}

void http_counts::error(std::string_view code) {
  const std::lock_guard guard{mutex_};
  if (const auto found = errors_.find(code); found != errors_.end())
    ++found->second;
  else
    errors_.emplace(code, 1);
}

void http_counts::add_to(http_totals& sum) const {
  for (std::size_t method = 0; method < requests_.size(); ++method)
    for (std::size_t digit = 0; digit < status_classes; ++digit)
      sum.requests[method][digit] += requests_[method][digit].value();
  sum.bytes_read += bytes_read.value();
  // The end first: of two looks at moving numbers none may be below zero.
  const auto ended = live_ended.value();
  sum.live_readers += std::max(live_begun.value(), ended) - ended;
  writes.add_to(sum.writes);
  reads.add_to(sum.reads);
  const std::lock_guard guard{mutex_};
  for (const auto& [code, count] : errors_)
    sum.errors[code] += count;
}

http_counts& http_metrics::add_loop() {
  const std::lock_guard guard{mutex_};
  return *loops_.emplace_back(std::make_unique<http_counts>());
}

http_totals http_metrics::total() const {
  http_totals sum;
  const std::lock_guard guard{mutex_};
  for (const auto& each : loops_)
    each->add_to(sum);
  return sum;
}

} // namespace torpor
