// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/store.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// Where what lies in one journal file.
struct journal_map {
  struct block {
    std::uint64_t end = 0;
    stream_id stream{};
  };
  struct frame {
    std::uint64_t offset = 0;
    std::uint64_t covered = 0; ///< Behind the last byte that means something.
    std::uint64_t end = 0;
    std::vector<block> blocks; ///< None: an idle mark.
  };

  std::vector<frame> frames;

  /// How many frames begin at or before that byte.
  [[nodiscard]] std::size_t frames_to(std::uint64_t byte) const;
  /// How many frames are whole in a file that ends there.
  [[nodiscard]] std::size_t whole_frames(std::uint64_t bytes) const;
  /// Whether a byte is one of a header or of blocks.
  [[nodiscard]] bool covers(std::uint64_t byte) const;
  /// Streams with a block that is at that byte, or behind it in its frame, or
  /// (in a header) in the frame.
  [[nodiscard]] std::set<stream_id> streams_from(std::uint64_t byte) const;
};

/// Reads the map of a sound file. Throws.
[[nodiscard]] journal_map map_journal(const std::string& bytes);

} // namespace torpor::test
