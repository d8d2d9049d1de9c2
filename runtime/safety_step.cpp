// SPDX-License-Identifier: Apache-2.0
#include "runtime/safety_step.hpp"

namespace torpor {

bool does(safety_step) noexcept {
  return true;
}

} // namespace torpor
