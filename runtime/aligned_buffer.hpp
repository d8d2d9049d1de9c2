// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace torpor {

/// Memory that direct I/O accepts: it starts at a multiple of 4 KiB. Reused
/// from call to call; what was in it is lost when it has to grow.
/// Threads: one owner.
class aligned_buffer {
public:
  static constexpr std::size_t alignment = 4096;

  /// `bytes` of memory with unknown content.
  [[nodiscard]] std::span<std::byte> take(std::size_t bytes) {
    if (bytes > capacity_) {
      shrink(0);
      data_.reset(static_cast<std::byte*>(
        ::operator new (bytes, std::align_val_t{alignment})));
      capacity_ = bytes;
    }
    return {data_.get(), bytes};
  }

  /// Gives the memory back unless it is at most `bytes`.
  void shrink(std::size_t bytes) noexcept {
    if (capacity_ > bytes) {
      data_.reset();
      capacity_ = 0;
    }
  }

  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
  struct free_aligned {
    void operator()(std::byte* memory) const noexcept {
      ::operator delete (memory, std::align_val_t{alignment});
    }
  };

  std::unique_ptr<std::byte, free_aligned> data_;
  std::size_t capacity_ = 0;
};

} // namespace torpor
