// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/posix_disk.hpp"
#include "torpor/error.hpp"

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace torpor {

/// One end of a connection between a process and its child, for plain structs.
/// Threads: one owner.
class channel {
public:
  explicit channel(descriptor end) noexcept : end_(std::move(end)) {}

  /// False when the other side is gone.
  template <class T>
  [[nodiscard]] bool send(const T& message) {
    static_assert(std::is_trivially_copyable_v<T>);
    return send_bytes(&message, sizeof message);
  }

  /// Blocks. False when the other side is gone.
  template <class T>
  [[nodiscard]] bool receive(T& message) {
    static_assert(std::is_trivially_copyable_v<T>);
    return receive_bytes(&message, sizeof message);
  }

  /// The same for what may have failed.
  template <class T>
  [[nodiscard]] bool send(const result<T>& outcome) {
    answer<T> message;
    if (outcome) {
      message.value = *outcome;
    } else {
      message.code = outcome.error().code;
      outcome.error().context.copy(message.context,
                                   sizeof message.context - 1);
    }
    return send(message);
  }
  /// Errors: the other side's; shut_down when it is gone.
  template <class T>
  [[nodiscard]] result<T> receive() {
    answer<T> message;
    if (!receive(message))
      return fail(errc::shut_down, "the other process ended unexpectedly");
    if (message.code != errc{})
      return fail(message.code, message.context);
    return message.value;
  }

private:
  template <class T>
  struct answer {
    T value{};
    errc code{};
    char context[512]{};
  };

  bool send_bytes(const void* from, std::size_t size);
  bool receive_bytes(void* into, std::size_t size);

  descriptor end_;
};

/// A child of this process; killed when this goes, or when its parent dies.
/// Threads: one owner.
class child_process {
public:
  /// Runs `body` in a copy of this process, which must have one thread only;
  /// what it returns is the child's exit code. Errors: io_failed.
  [[nodiscard]] static result<child_process>
  copy(const std::function<int(channel&)>& body);

  /// Runs this program anew with arguments, to which the number of the child's
  /// end of the channel is added. Errors: io_failed.
  [[nodiscard]] static result<child_process>
  rerun(std::vector<std::string> arguments);

  child_process(child_process&& other) noexcept
    : id_(std::exchange(other.id_, 0)), link_(std::move(other.link_)) {}
  child_process& operator=(child_process&& other) noexcept {
    kill();
    id_ = std::exchange(other.id_, 0);
    link_ = std::move(other.link_);
    return *this;
  }
  ~child_process() { kill(); }

  [[nodiscard]] pid_t id() const noexcept { return id_; }
  [[nodiscard]] channel& link() noexcept { return link_; }

  /// Ends it by SIGKILL: it can clean up nothing. Returns when it is gone.
  void kill();
  /// Waits for its end; its exit code, 128 + the signal's number if by one.
  int wait();

private:
  child_process(pid_t id, channel link) : id_(id), link_(std::move(link)) {}

  pid_t id_;
  channel link_;
};

} // namespace torpor
