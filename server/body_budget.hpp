// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace torpor {

/// How much memory the bodies of requests may take together, of all
/// connections. Threads: any.
class body_budget {
public:
  explicit body_budget(std::uint64_t bytes_max) noexcept
    : bytes_max_(bytes_max) {}

  /// Takes so many bytes, or none: false when there are not so many left.
  [[nodiscard]] bool take(std::uint64_t bytes) noexcept {
    const auto before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= bytes_max_)
      return true;
    give_back(bytes);
    return false;
  }
  void give_back(std::uint64_t bytes) noexcept {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t used() const noexcept {
    return used_.load(std::memory_order_relaxed);
  }

private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> used_{0};
};

/// What one body has of a budget; goes back with it. A body of at most
/// `free_bytes` takes nothing: of those there is one for each connection, and
/// `http.connections-max` bounds them.
/// Threads: one owner.
class body_share {
public:
  static constexpr std::uint64_t free_bytes = 4096;

  /// Null: there is no bound.
  explicit body_share(body_budget* of) noexcept : of_(of) {}
  body_share(const body_share&) = delete;
  body_share& operator=(const body_share&) = delete;
  ~body_share() {
    if (taken_ > 0)
      of_->give_back(taken_);
  }

  /// Takes what is missing for a body that has grown. False when there is not
  /// so much.
  [[nodiscard]] bool grow_to(std::uint64_t bytes) noexcept {
    if (of_ == nullptr || bytes <= free_bytes || bytes <= taken_)
      return true;
    if (!of_->take(bytes - taken_))
      return false;
    taken_ = bytes;
    return true;
  }

private:
  body_budget* of_;
  std::uint64_t taken_ = 0;
};

} // namespace torpor
