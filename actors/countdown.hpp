// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace torpor {

/// Calls `done` when the last copy of the result is gone. Whoever has to be
/// waited for keeps a copy until it is ready; one that ends without a word
/// counts as ready too, so that nobody waits for ever. Threads: any.
[[nodiscard]] inline std::shared_ptr<void>
countdown(std::function<void()> done) {
  return {nullptr, [done = std::move(done)](void*) { done(); }};
}

} // namespace torpor
