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

/// The payload for the n-th of the streams; valid until the next call.
using payload_maker = std::function<bytes_view(std::uint64_t)>;

/// Appends one entry to each stream, durably; one that is named twice gets two.
/// Errors: as `stream::append`.
[[nodiscard]] result<void> append_to_each(engine& store,
                                          const std::vector<stream_id>& streams,
                                          const payload_maker& payload);
[[nodiscard]] result<void> append_to_each(engine& store,
                                          const std::vector<stream_id>& streams,
                                          bytes_view payload);

} // namespace torpor
