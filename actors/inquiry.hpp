// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/read.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace torpor {

class engine;

// What can be asked of all streams or of one without waiting. Each calls back
// once, on some thread of the actor system or on the caller's; with shut_down
// when the engine is stopping.

using stream_names = std::vector<std::pair<std::string, stream_id>>;

/// Up to `count_max` streams (1 to 100,000) whose names begin with `prefix` and
/// come after `after`, in byte order; not those that are deleted and only kept
/// for their forks. Errors: invalid_argument, io_failed.
void list_streams(engine& of, const std::string& prefix,
                  const std::string& after, std::size_t count_max,
                  std::function<void(result<stream_names>)> done);

/// What is known of a stream; of a fork that begins with entries of its source,
/// their shards are asked, too. Errors: not_found, gone, io_failed.
void inform(engine& of, stream_ref stream,
            std::function<void(result<stream_info>)> done);

} // namespace torpor
