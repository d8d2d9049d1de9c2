// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace torpor {

/// What one tenant may do a second; 0: as much as it likes. Up to that much may
/// come at once.
struct rate_limits {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0; ///< Of the bodies of requests and answers.
};

/// Token buckets, two for each tenant, of the whole process. A bucket that is
/// full again is as good as none, so it is forgotten: memory is bounded by the
/// tenants that were at work lately, and no timer is needed.
/// Threads: any; each tenant guarded by the mutex of its shard.
class rate_limiter {
public:
  explicit rate_limiter(rate_limits limits) noexcept : limits_(limits) {}

  /// Whether anything is limited.
  [[nodiscard]] bool limits() const noexcept {
    return limits_.requests != 0 || limits_.bytes != 0;
  }

  /// Takes one request with a body of so many bytes, or tells after how many
  /// seconds (from 1) the tenant may try again. A body may take more bytes than
  /// there are: others wait until they have come back. `now_ms` is monotonic.
  [[nodiscard]] std::uint64_t admit(std::string_view tenant,
                                    std::uint64_t bytes, std::uint64_t now_ms);

  /// Takes the bytes of an answer, which cannot be refused any more.
  void charge(std::string_view tenant, std::uint64_t bytes,
              std::uint64_t now_ms);

  /// Tenants that are kept in mind.
  [[nodiscard]] std::size_t size() const;

private:
  /// When each bucket would be full again, in ns; what lies in the past is
  /// full. That one time is all there is to a bucket.
  struct buckets {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
  };

  struct hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  struct alignas(64) shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, buckets, hash, std::equal_to<>> tenants;
    std::size_t sweep_at = sweep_least;
  };

  static constexpr std::size_t sweep_least = 64;
  static constexpr std::size_t shard_count = 16;

  [[nodiscard]] shard& shard_of(std::string_view tenant) {
    return shards_[hash{}(tenant) % shard_count];
  }
  [[nodiscard]] static buckets& find(shard& in, std::string_view tenant,
                                     std::uint64_t now_ns);

  rate_limits limits_;
  std::array<shard, shard_count> shards_;
};

} // namespace torpor
