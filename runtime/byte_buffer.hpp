// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

namespace torpor {

/// Bytes that grow without being zeroed first. Threads: one owner.
class byte_buffer {
public:
  /// Room for `bytes` more at the end; what was written there is taken over
  /// with `grow`. Earlier pointers die.
  [[nodiscard]] std::byte* reserve(std::size_t bytes) {
    if (size_ + bytes > capacity_)
      enlarge(size_ + bytes);
    return data_.get() + size_;
  }

  void grow(std::size_t bytes) noexcept { size_ += bytes; }

  void append(bytes_view bytes) {
    if (bytes.empty())
      return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    grow(bytes.size());
  }

  void clear() noexcept { size_ = 0; }

  /// Empties it, and gives memory back unless it is at most `bytes`.
  void shrink(std::size_t bytes) noexcept {
    size_ = 0;
    if (capacity_ > bytes) {
      data_.reset();
      capacity_ = 0;
    }
  }

  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bytes_view view() const noexcept {
    return {data_.get(), size_};
  }

private:
  void enlarge(std::size_t least) {
    const auto capacity = std::max({least, capacity_ * 2, std::size_t{256}});
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size_ > 0)
      std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace torpor
