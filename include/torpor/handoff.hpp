// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

namespace torpor {

/// Sole ownership that travels in a message. CAF demands copyable messages;
/// copying a handoff hands the object on, so that exactly one copy has it.
/// A message that nobody handles gives it to `dropped(std::unique_ptr<T>)`.
/// Threads: one owner, which changes with the message.
template <class T>
class handoff {
public:
  handoff() = default;
  explicit handoff(std::unique_ptr<T> held) noexcept : held_(std::move(held)) {}
  handoff(const handoff& other) noexcept : held_(std::move(other.held_)) {}
  handoff(handoff&& other) noexcept = default;
  handoff& operator=(const handoff& other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }
  handoff& operator=(handoff&& other) noexcept = default;
  ~handoff() {
    if (held_)
      dropped(std::move(held_));
  }

  /// Takes the object; the handoff is empty afterwards.
  [[nodiscard]] std::unique_ptr<T> take() const noexcept {
    return std::move(held_);
  }

private:
  mutable std::unique_ptr<T> held_;
};

} // namespace torpor
