// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/open_segments.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace torpor {

/// The segments of a store, those with the oldest entries first. A list never
/// changes: a read goes on with the one that it began with. A segment is opened
/// when it is first looked at; a list and those made from it keep at most
/// `open_max` open, those used last. Threads: any.
class segment_list {
public:
  using place = open_segments::place;

  /// More than merging leaves of any store (docs/architecture.md, Merging).
  static constexpr std::size_t open_max = 64;

  /// An empty list.
  explicit segment_list(place where, std::size_t most = open_max)
    : open_{std::make_shared<open_segments>(std::move(where), most)} {}

  /// The next list. What is in both is opened once.
  [[nodiscard]] std::shared_ptr<const segment_list>
  with(const std::vector<segment_summary>& segments) const;

  [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
  [[nodiscard]] const segment_summary& summary(std::size_t at) const noexcept {
    return slots_[at]->summary();
  }
  [[nodiscard]] std::string path(std::size_t at) const {
    return open_->path(*slots_[at]);
  }

  /// Errors: corrupt, incompatible, io_failed (also when the file is missing).
  [[nodiscard]] result<std::shared_ptr<const segment>>
  open(std::size_t at) const {
    return open_->open(slots_[at]);
  }

  /// A stream's part in one segment.
  struct found {
    std::shared_ptr<const segment> in;
    segment_row row;
  };

  /// The segment with that entry; nullopt if none has it.
  [[nodiscard]] result<std::optional<found>> find(stream_id stream,
                                                  sequence wanted) const;

  /// The first segment with an entry of the stream at or after a time and not
  /// before a sequence; nullopt if there is none.
  [[nodiscard]] result<std::optional<found>>
  find_time(stream_id stream, sequence from, std::int64_t time_ms) const;

private:
  explicit segment_list(std::shared_ptr<open_segments> shared)
    : open_{std::move(shared)} {}

  [[nodiscard]] result<std::optional<found>> look(std::size_t at,
                                                  stream_id stream) const;
  [[nodiscard]] result<std::optional<found>>
  find_beside(stream_id stream, sequence wanted, const error& why) const;

  std::shared_ptr<open_segments> open_;
  std::vector<std::shared_ptr<listed_segment>> slots_;
};

} // namespace torpor
