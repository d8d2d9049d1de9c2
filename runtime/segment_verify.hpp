// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/segment.hpp"

#include <memory>
#include <string>
#include <vector>

namespace torpor {

/// Something in a segment that is not as it must be.
struct segment_damage {
  stream_id stream{}; ///< 0: no stream in particular.
  sequence first{};   ///< First entry that it touches.
  sequence next{};    ///< Behind the last one; `first` if that is unknown.
  std::string text;   ///< What is wrong and where.
};

/// What a look at every byte of a segment found.
struct segment_report {
  segment_summary found; ///< Counted from the blocks that are sound.
  std::vector<segment_damage> damages;
};

/// Checks everything: all checksums, that blocks are sound and in order, and
/// that rows, directory and summary say what the blocks say. Entries that are
/// missing between two blocks of a stream count as damage. Holds one chunk in
/// memory. Errors: io_failed.
[[nodiscard]] result<segment_report>
verify_segment(const std::shared_ptr<const segment>& checked);

} // namespace torpor
