// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace torpor::test {

/// A stream as one of its writers knows it.
struct written_stream {
  /// Who writes to it, and how it comes to be.
  enum class role : std::uint8_t {
    shared, ///< All clients, always there.
    own,    ///< One client makes it, deletes it, makes it again.
    fork,   ///< The same, from one of its own.
  };

  role what{};
  std::string name;
  stream_id id{}; ///< 0: it is not there.
  bool closed = false;
  bool has_forks = false; ///< Had once: its name may stay with them.
  sequence durable{};     ///< Acknowledged entries end before it.
  /// Where an own one ends, buffered entries with it.
  sequence end{};
  std::uint64_t order = 0; ///< The highest Stream-Seq.
  torpor::producer by;     ///< Of the next append.
};

} // namespace torpor::test
