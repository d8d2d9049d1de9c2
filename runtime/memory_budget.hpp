// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/options.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace torpor {

/// Bytes in use against a limit. Threads: any.
class account {
public:
  explicit account(std::uint64_t limit) noexcept : limit_(limit) {}

  /// Takes bytes when they fit. The limit may be overstepped by what other
  /// threads take at the same moment.
  [[nodiscard]] bool try_charge(std::uint64_t bytes) noexcept {
    if (used_.load(std::memory_order_relaxed) + bytes > limit_)
      return false;
    used_.fetch_add(bytes, std::memory_order_relaxed);
    return true;
  }

  /// Takes bytes in any case.
  void charge(std::uint64_t bytes) noexcept {
    used_.fetch_add(bytes, std::memory_order_relaxed);
  }

  void release(std::uint64_t bytes) noexcept {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t used() const noexcept {
    return used_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }

private:
  std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

/// The one budget for bytes that are queued or buffered and not yet durable,
/// and the shares of tenants in it. Threads: any; tenants guarded by mutex_.
class memory_budget {
public:
  explicit memory_budget(const memory_options& options);

  [[nodiscard]] account& all() noexcept { return all_; }

  /// The account of the tenant a stream belongs to: the first part of its
  /// name before '/'. Null when no share applies. Lives as long as the budget.
  [[nodiscard]] account* tenant(std::string_view stream_name);

private:
  account all_;
  std::uint64_t tenant_bytes_max_;
  std::map<std::string, std::uint64_t> limits_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<account>, std::less<>> tenants_;
};

} // namespace torpor
