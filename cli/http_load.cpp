// SPDX-License-Identifier: Apache-2.0
#include "cli/http_load.hpp"

#include "cli/http_load_worker.hpp"

#include <algorithm>
#include <limits>

namespace torpor {

http_load::http_load(http_load_options how,
                     std::vector<std::unique_ptr<http_load_source>> sources)
  : state_(std::make_unique<http_load_state>()) {
  constexpr auto never = std::numeric_limits<std::int64_t>::max();
  state_->measure_from = never;
  state_->measure_to = never;
  state_->how = std::move(how);
  for (std::uint32_t i = 0; i < sources.size(); ++i)
    workers_.push_back(
      std::make_unique<http_load_worker>(*state_, i, std::move(sources[i])));
}

http_load::~http_load() {
  abandon();
}

void http_load::measure() {
  state_->measure_from = load_clock_ns();
}

bool http_load::finished() const {
  return std::none_of(workers_.begin(), workers_.end(),
                      [](const auto& each) { return each->busy(); });
}

void http_load::stop() {
  if (state_->stopping.exchange(true))
    return;
  state_->measure_to = load_clock_ns();
  join();
}

void http_load::abandon() {
  state_->abandoned = true;
  stop();
}

void http_load::join() {
  for (auto& each : workers_)
    each->join();
}

std::uint64_t http_load::answered() const {
  std::uint64_t sum = 0;
  for (const auto& each : workers_)
    sum += each->answered();
  return sum;
}

double http_load::seconds() const {
  return static_cast<double>(state_->measure_to - state_->measure_from) / 1e9;
}

latency_histogram http_load::latencies() const {
  latency_histogram all;
  for (const auto& each : workers_)
    all.merge(each->latencies);
  return all;
}

std::map<unsigned, std::uint64_t> http_load::statuses() const {
  std::map<unsigned, std::uint64_t> all;
  for (const auto& each : workers_)
    for (unsigned status = 0; status < each->statuses.size(); ++status)
      if (each->statuses[status] > 0)
        all[status] += each->statuses[status];
  return all;
}

std::uint64_t http_load::cuts() const {
  std::uint64_t sum = 0;
  for (const auto& each : workers_)
    sum += each->cuts;
  return sum;
}

std::uint64_t http_load::cpu_ns() const {
  std::uint64_t sum = 0;
  for (const auto& each : workers_)
    sum += each->cpu_ns;
  return sum;
}

std::optional<error> http_load::failure() const {
  for (const auto& each : workers_)
    if (each->failure)
      return each->failure;
  return std::nullopt;
}

} // namespace torpor
