// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace torpor {

class engine;
struct pin_of_fork;
struct roster;

/// A stream to be made from another one.
struct fork_request {
  std::string name;        ///< Of the new stream.
  std::string source_name; ///< If `source` is 0.
  stream_id source{};
  sequence at{};           ///< The new one's first sequence of its own.
  create_options how;      ///< `how.origin.sub` is kept; the rest of it is filled in.
  std::vector<std::string> entries; ///< Its first own entries.
};

/// Makes a stream that begins with the entries of another (see `runtime::fork`)
/// and calls back, on some thread of the actor system, with what became of its
/// create. The source is pinned first, so that it outlives the fork whatever
/// happens. Errors: not_found, out_of_range and gone: the source; else those of
/// a create. Threads: any. The engine is not stopped before the call back.
void fork(engine& to, fork_request request,
          std::function<void(result<write_outcome>)> done);

/// Has a source let go of what it keeps for a fork that is gone. If that gets
/// lost, `ask_for_fork` makes up for it.
void unpin(const roster& all, const pin_of_fork& pin);

/// Looks whether there is such a fork, and else has its source let go.
void ask_for_fork(const std::shared_ptr<const roster>& all, pin_of_fork pin);

} // namespace torpor
