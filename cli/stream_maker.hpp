// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace torpor {

class engine;

/// Names the n-th stream.
using stream_namer = std::function<std::string(std::uint64_t)>;

/// Makes `count` streams, durably, and tells their ids in order; those that
/// exist already are only looked up. Errors: as `runtime::create`.
[[nodiscard]] result<std::vector<stream_id>>
make_streams(engine& store, std::uint64_t count, const stream_namer& name);

/// Appends one entry to each stream, durably. Errors: as `stream::append`.
[[nodiscard]] result<void> append_to_each(engine& store,
                                          const std::vector<stream_id>& streams,
                                          bytes_view payload);

} // namespace torpor
