// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/stream_door.hpp"
#include "server/stream_headers.hpp"
#include "torpor/types.hpp"

#include <functional>
#include <string>

namespace torpor {

/// A stream that shall be made, and out of what.
struct create_plan {
  std::string stream;
  create_options how;
  stream_id source{};     ///< 0: not a fork.
  sequence at{};          ///< Where it leaves its source.
  bool any_place = false; ///< The source's end was meant, wherever it was.
  std::string prefix; ///< Its own first entry: the part of the source's entry.
};

/// Completes the plan of a fork by what its source is, and calls back. Errors:
/// not_found: the source; mismatch: it has another type; conflict: it is
/// deleted; invalid_argument: the place is not in it.
void plan_fork(stream_door& door, create_plan plan, fork_headers from,
               std::function<void(result<create_plan>)> then);

} // namespace torpor
