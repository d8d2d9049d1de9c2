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
/// create. Errors: not_found, out_of_range and gone: the source; else those of
/// a create. Threads: any.
void fork(const std::shared_ptr<engine>& to, fork_request request,
          std::function<void(result<write_outcome>)> done);

} // namespace torpor
