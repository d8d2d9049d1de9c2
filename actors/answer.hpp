// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <atomic>
#include <future>
#include <utility>

namespace torpor {

/// A promise that is always kept: who drops it without an answer, because the
/// runtime is stopping, answers shut_down. Threads: any for `set`, the first
/// one counts.
template <class T>
class answer {
public:
  answer() = default;
  answer(const answer&) = delete;
  answer& operator=(const answer&) = delete;
  ~answer() {
    set(fail(errc::shut_down, "the runtime is stopping"));
  }

  void set(result<T> value) {
    if (!answered_.exchange(true))
      promise_.set_value(std::move(value));
  }

  /// Once.
  [[nodiscard]] std::future<result<T>> future() {
    return promise_.get_future();
  }

private:
  std::promise<result<T>> promise_;
  std::atomic<bool> answered_{false};
};

} // namespace torpor
