// SPDX-License-Identifier: Apache-2.0
#include "server/rate_limiter.hpp"

#include <algorithm>

namespace torpor {

namespace {

constexpr std::uint64_t second = 1'000'000'000; // In ns.
/// More debt than this (a day) nobody gets: times cannot overflow.
constexpr std::uint64_t debt_max = 86'400 * second;

/// How long it takes until so much has come back.
std::uint64_t span(std::uint64_t amount, std::uint64_t rate) noexcept {
  const auto whole = amount / rate;
  return whole >= debt_max / second
           ? debt_max
           : whole * second + amount % rate * second / rate;
}

/// Takes from a bucket that is full at `full`.
void take(std::uint64_t& full, std::uint64_t amount, std::uint64_t rate,
          std::uint64_t now) noexcept {
  if (rate != 0)
    full = std::min(std::max(full, now) + span(amount, rate), now + debt_max);
}

/// How long to wait until a bucket, which one second fills, has so much; it
/// cannot have more than all.
std::uint64_t wait(std::uint64_t full, std::uint64_t amount,
                   std::uint64_t rate, std::uint64_t now) noexcept {
  if (rate == 0)
    return 0;
  const auto needs = std::min(span(amount, rate), second);
  const auto ready = std::max(full, now) + needs;
  return ready > now + second ? ready - now - second : 0;
}

} // namespace

std::uint64_t rate_limiter::admit(std::string_view tenant, std::uint64_t bytes,
                                  std::uint64_t now_ms) {
  if (!limits())
    return 0;
  const auto now = now_ms * 1'000'000;
  auto& in = shard_of(tenant);
  const std::lock_guard guard{in.mutex};
  auto& found = find(in, tenant, now);
  // A debt of bytes stops everything, also what has none.
  const auto left = std::max(wait(found.requests, 1, limits_.requests, now),
                             wait(found.bytes, bytes, limits_.bytes, now));
  if (left > 0)
    return (left + second - 1) / second;
  take(found.requests, 1, limits_.requests, now);
  take(found.bytes, bytes, limits_.bytes, now);
  return 0;
}

void rate_limiter::charge(std::string_view tenant, std::uint64_t bytes,
                          std::uint64_t now_ms) {
  if (limits_.bytes == 0 || bytes == 0)
    return;
  const auto now = now_ms * 1'000'000;
  auto& in = shard_of(tenant);
  const std::lock_guard guard{in.mutex};
  take(find(in, tenant, now).bytes, bytes, limits_.bytes, now);
}

std::size_t rate_limiter::size() const {
  std::size_t sum = 0;
  for (const auto& each : shards_) {
    const std::lock_guard guard{each.mutex};
    sum += each.tenants.size();
  }
  return sum;
}

/// Sweeps when the tenants have doubled, so that each costs the same.
rate_limiter::buckets& rate_limiter::find(shard& in, std::string_view tenant,
                                          std::uint64_t now_ns) {
  if (const auto found = in.tenants.find(tenant); found != in.tenants.end())
    return found->second;
  if (in.tenants.size() >= in.sweep_at) {
    std::erase_if(in.tenants, [now_ns](const auto& each) {
      return each.second.requests <= now_ns && each.second.bytes <= now_ns;
    });
    in.sweep_at = std::max(sweep_least, 2 * in.tenants.size());
  }
  return in.tenants.try_emplace(std::string{tenant}).first->second;
}

} // namespace torpor
