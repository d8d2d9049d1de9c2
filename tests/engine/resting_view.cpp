// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/resting_view.hpp"

#include <utility>

namespace torpor::test {

/// One that cannot be told of is left out.
std::vector<stream_info> resting_view::streams() {
  std::vector<stream_info> found;
  const auto names = store_.list({}, {}, 1000);
  if (!names)
    return found;
  for (const auto& [name, id] : *names)
    if (auto info = store_.info({id, {}}))
      found.push_back(std::move(*info));
  return found;
}

} // namespace torpor::test
