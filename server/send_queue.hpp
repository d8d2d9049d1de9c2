// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/shared_text.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <sys/uio.h>

namespace torpor {

/// What a connection has to send and its client did not take yet, in order.
/// Holds no memory while it is empty.
/// Threads: one owner.
class send_queue {
public:
  /// Adds what is left of a text after its first bytes.
  void add(shared_text text, std::size_t skipped = 0);
  void add(std::string_view text);

  [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// Describes the beginning of the queue; returns how much of `into` it took.
  [[nodiscard]] std::size_t gather(std::span<iovec> into) const;

  /// Drops as many bytes from the beginning; at most `bytes`.
  void consume(std::size_t count);

private:
  struct piece {
    shared_text text;
    std::size_t begin;
  };

  std::vector<piece> pieces_;
  std::size_t first_ = 0; // Those before it are sent.
  std::size_t bytes_ = 0;
};

} // namespace torpor
