// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace torpor {

/// Objects at stable places, addressed by 32-bit indices; freed places are
/// used again, and when none is in use all memory but one chunk is freed. Threads: one owner.
template <class T>
class slab {
public:
  using index = std::uint32_t;
  static constexpr index none = 0xffffffff;

  /// A default-constructed or formerly released object.
  [[nodiscard]] index take() {
    ++used_;
    if (!free_.empty()) {
      const auto at = free_.back();
      free_.pop_back();
      return at;
    }
    if (size_ / chunk_size == chunks_.size())
      chunks_.push_back(std::make_unique<T[]>(chunk_size));
    return size_++;
  }

  /// The object stays as it is until its place is taken again.
  void release(index at) {
    --used_;
    free_.push_back(at);
    if (used_ == 0)
      reset();
  }

  [[nodiscard]] T& operator[](index at) noexcept {
    return chunks_[at / chunk_size][at % chunk_size];
  }
  [[nodiscard]] const T& operator[](index at) const noexcept {
    return chunks_[at / chunk_size][at % chunk_size];
  }

  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  /// Places ever taken: every valid index is below it.
  [[nodiscard]] index size() const noexcept { return size_; }

private:
  static constexpr index chunk_size = 256;

  void reset() {
    if (chunks_.size() > 1) {
      chunks_.resize(1);
      chunks_.shrink_to_fit();
      free_.shrink_to_fit();
    }
    free_.clear();
    size_ = 0;
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<index> free_;
  index size_ = 0;
  std::size_t used_ = 0;
};

} // namespace torpor
