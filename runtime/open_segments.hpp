// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/segment.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace torpor {

/// A segment of a store, open or not. Threads: any.
class listed_segment {
public:
  explicit listed_segment(const segment_summary& summary) : summary_{summary} {}

  [[nodiscard]] const segment_summary& summary() const noexcept {
    return summary_;
  }

private:
  friend class open_segments;

  segment_summary summary_;
  std::mutex mutex_;
  std::shared_ptr<const segment> opened_; ///< Guarded by `mutex_`.
  std::atomic<std::uint64_t> used_ = 0;   ///< Openings until its last use.
};

/// Opens segments when they are looked at, and closes the one that was used
/// least recently when there are too many. Who reads one keeps it alive.
/// Threads: any; guarded by mutex_, which only openings take.
class open_segments {
public:
  /// Where segments lie and whose they are.
  struct place {
    std::shared_ptr<torpor::disk> disk;
    std::string directory;
    store_id store{};
  };

  /// At most `count_max` (from 1) stay open.
  open_segments(place where, std::size_t count_max)
    : where_{std::move(where)},
      count_max_{count_max} {}

  [[nodiscard]] std::string path(const listed_segment& of) const;

  /// Errors: corrupt, incompatible, io_failed (also when the file is missing).
  [[nodiscard]] result<std::shared_ptr<const segment>>
  open(const std::shared_ptr<listed_segment>& wanted);

private:
  void add(const std::shared_ptr<listed_segment>& opened);
  [[nodiscard]] std::shared_ptr<listed_segment> take_oldest();

  place where_;
  std::size_t count_max_;
  std::atomic<std::uint64_t> openings_ = 0;
  std::mutex mutex_;
  std::vector<std::weak_ptr<listed_segment>> open_; ///< Guarded by `mutex_`.
};

} // namespace torpor
