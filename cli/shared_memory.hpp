// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstddef>
#include <utility>

namespace torpor {

/// Memory of zeros that this process and the copies it makes of itself share:
/// what one writes the others see, also after its death. Pages cost something
/// from the first write on. Threads: as what lies in it.
class shared_memory {
public:
  /// Errors: io_failed.
  [[nodiscard]] static result<shared_memory> make(std::size_t bytes);

  shared_memory(shared_memory&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), bytes_(other.bytes_) {}
  shared_memory& operator=(shared_memory&&) = delete;
  ~shared_memory();

  [[nodiscard]] std::byte* data() const noexcept { return begin_; }

private:
  shared_memory(std::byte* begin, std::size_t bytes)
    : begin_(begin), bytes_(bytes) {}

  std::byte* begin_;
  std::size_t bytes_;
};

} // namespace torpor
