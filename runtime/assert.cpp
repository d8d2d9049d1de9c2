// SPDX-License-Identifier: Apache-2.0
#include "runtime/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace torpor {

void assertion_failed(const char* condition, const char* file,
                      int line) noexcept {
  std::fprintf(stderr, "torpor: bug: %s does not hold (%s:%d)\n", condition,
               file, line);
  std::abort();
}

} // namespace torpor
