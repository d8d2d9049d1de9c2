// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/segment.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace torpor {

/// The segments of a store, those with the oldest entries first. A list never
/// changes: a read goes on with the one that it began with. A segment is opened
/// when it is first looked at, and stays open while a list has it.
/// Threads: any.
class segment_list {
public:
  /// Where segments lie and whose they are.
  struct place {
    std::shared_ptr<torpor::disk> disk;
    std::string directory;
    store_id store{};
  };

  /// An empty list.
  explicit segment_list(place where) : where_(std::move(where)) {}

  /// The next list. What is in both is opened once.
  [[nodiscard]] std::shared_ptr<const segment_list>
  with(const std::vector<segment_summary>& segments) const;

  [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
  [[nodiscard]] const segment_summary& summary(std::size_t at) const noexcept {
    return slots_[at]->summary;
  }
  [[nodiscard]] std::string path(std::size_t at) const;

  /// Errors: corrupt, incompatible, io_failed (also when the file is missing).
  [[nodiscard]] result<std::shared_ptr<const segment>>
  open(std::size_t at) const;

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
  struct slot {
    segment_summary summary;
    std::mutex mutex;
    std::shared_ptr<const segment> opened; ///< Guarded by `mutex`.
  };

  [[nodiscard]] result<std::optional<found>> look(std::size_t at,
                                                  stream_id stream) const;

  place where_;
  std::vector<std::shared_ptr<slot>> slots_;
};

} // namespace torpor
