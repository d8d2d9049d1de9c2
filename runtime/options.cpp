// SPDX-License-Identifier: Apache-2.0
#include "torpor/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace torpor {

namespace {

/// Collects the first option that is out of its range.
class range_check {
public:
  void demand(std::string_view name, std::uint64_t value, std::uint64_t low,
              std::uint64_t high) {
    if (problem_.empty() && (value < low || value > high))
      problem_ = fmt::format("{} is {}, expected {} to {}", name, value, low,
                             high);
  }

  void demand(std::string_view name, std::chrono::milliseconds value,
              std::int64_t low, std::int64_t high) {
    if (problem_.empty() && (value.count() < low || value.count() > high))
      problem_ = fmt::format("{} is {} ms, expected {} to {} ms", name,
                             value.count(), low, high);
  }

  void demand(bool holds, std::string text) {
    if (problem_.empty() && !holds)
      problem_ = std::move(text);
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

private:
  std::string problem_;
};

constexpr std::uint64_t kib = 1u << 10;
constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t gib = 1u << 30;
constexpr std::int64_t hour_ms = 3'600'000;

void check_memory(range_check& check, const memory_options& memory) {
  check.demand("memory.buffered-bytes-max", memory.buffered_bytes_max, mib,
               1024 * gib);
  check.demand("memory.stream-bytes-max", memory.stream_bytes_max, 64 * kib,
               gib);
  check.demand("memory.tenant-bytes-max", memory.tenant_bytes_max, 0,
               1024 * gib);
  check.demand("memory.record-cache", memory.record_cache, 0, 100'000'000);
  for (const auto& [tenant, bytes] : memory.tenants)
    check.demand(fmt::format("memory.tenants.{}", tenant), bytes, 1,
                 1024 * gib);
}

/// 0 and `unlimited` are always right.
void check_retention(range_check& check, std::string_view where,
                     const retention_policy& keep) {
  constexpr std::uint64_t span_max = std::uint64_t{1} << 42;
  constexpr std::uint64_t bytes_max = std::uint64_t{1} << 60;
  const auto demand = [&](std::string_view name, std::uint64_t value,
                          std::uint64_t high) {
    if (value != retention_policy::unlimited)
      check.demand(fmt::format("{}{}", where, name), value, 0, high);
  };
  demand("age_ms", keep.age_ms, span_max);
  demand("bytes", keep.bytes, bytes_max);
  demand("entries", keep.entries, bytes_max);
  demand("ttl_ms", keep.ttl_ms, span_max);
}

void check_rules(range_check& check,
                 const std::map<std::string, retention_rule>& rules) {
  std::map<std::string, std::string> seen;
  for (const auto& [name, rule] : rules) {
    const auto where = fmt::format("retention.{}.", name);
    check_retention(check, where, rule.keep);
    check.demand(rule.keep.expires_ms == 0,
                 where + "expires_ms: a rule has no such bound");
    check.demand(rule.prefix.has_value(),
                 where + "prefix is missing; \"\" is every stream");
    const auto [other, fresh] = seen.emplace(rule.prefix.value_or(name), name);
    check.demand(fresh, fmt::format("{}prefix is that of retention.{} too",
                                    where, other->second));
  }
}

} // namespace

result<void> check_policy(const sync_policy& policy) {
  range_check check;
  check.demand("max_delay_ms", policy.max_delay_ms, 0, 3'600'000);
  check.demand("linger_ms", policy.linger_ms, 0, 1000);
  if (policy.max_bytes != 0)
    check.demand("max_bytes", policy.max_bytes, 4 * kib, 16 * mib);
  if (!check.problem().empty())
    return fail(errc::invalid_argument,
                fmt::format("sync policy: {}", check.problem()));
  return {};
}

result<void> check_retention(const retention_policy& policy) {
  range_check check;
  check_retention(check, "", policy);
  if (policy.expires_ms < 0)
    check.demand(false, "expires_ms lies before 1970");
  if (!check.problem().empty())
    return fail(errc::invalid_argument,
                fmt::format("retention policy: {}", check.problem()));
  return {};
}

result<options> validate(options given) {
  const auto processors = std::max(1u, std::thread::hardware_concurrency());
  if (given.pool.workers == 0)
    given.pool.workers = std::min(2 * processors, 8u);
  if (given.pool.shards == 0)
    given.pool.shards = given.pool.workers;
  range_check check;
  check.demand(!given.data_dir.empty(), "data-dir is empty");
  check.demand("sync.max-delay", given.sync.max_delay, 1, hour_ms);
  check.demand("sync.max-bytes", given.sync.max_bytes, 4 * kib, 16 * mib);
  check.demand("sync.linger", given.sync.linger, 0, 1000);
  check.demand("sync.window", given.sync.window, 1, 65536);
  check_memory(check, given.memory);
  check.demand("journal.file-bytes", given.journal.file_bytes, 64 * kib, gib);
  check.demand(given.journal.file_bytes % (4 * kib) == 0,
               "journal.file-bytes is not a multiple of 4096");
  check.demand("journal.idle-mark", given.journal.idle_mark, 10, hour_ms);
  check.demand("segments.compression", given.segments.compression, 0, 19);
  check_rules(check, given.retention);
  check.demand("pool.workers", given.pool.workers, 1, 64);
  check.demand("pool.shards", given.pool.shards, 1, 64);
  check.demand("pool.readers", given.pool.readers, 1, 16);
  if (!check.problem().empty())
    return fail(errc::invalid_argument, check.problem());
  return given;
}

} // namespace torpor
