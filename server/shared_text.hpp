// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

namespace torpor {

/// A text that any number of answers hold at once and nobody changes: what one
/// append brings to thousands of readers is in memory once. Null: none.
using shared_text = std::shared_ptr<const std::string>;

[[nodiscard]] inline shared_text share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

} // namespace torpor
