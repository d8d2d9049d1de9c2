// SPDX-License-Identifier: Apache-2.0
#include "runtime/open_segments.hpp"

#include "runtime/segment_files.hpp"

#include <algorithm>
#include <utility>

namespace torpor {

std::string open_segments::path(const listed_segment& of) const {
  return where_.directory + "/" + segment_file_name(of.summary().number);
}

result<std::shared_ptr<const segment>>
open_segments::open(const std::shared_ptr<listed_segment>& wanted) {
  std::shared_ptr<const segment> opened;
  {
    const std::lock_guard guard{wanted->mutex_};
    wanted->used_ = openings_.load(std::memory_order_relaxed);
    if (wanted->opened_)
      return wanted->opened_;
    auto made = segment::open(*where_.disk, path(*wanted), where_.store);
    if (!made)
      return made;
    wanted->used_ = ++openings_;
    opened = wanted->opened_ = std::move(*made);
  }
  add(wanted);
  return opened;
}

void open_segments::add(const std::shared_ptr<listed_segment>& opened) {
  std::shared_ptr<listed_segment> oldest;
  {
    const std::lock_guard guard{mutex_};
    std::erase_if(open_, [](const auto& each) { return each.expired(); });
    open_.push_back(opened);
    if (open_.size() > count_max_)
      oldest = take_oldest();
  }
  if (!oldest)
    return;
  std::shared_ptr<const segment> closed; // Outside of the lock.
  const std::lock_guard guard{oldest->mutex_};
  closed.swap(oldest->opened_);
}

/// What is used between two openings counts the same.
std::shared_ptr<listed_segment> open_segments::take_oldest() {
  std::shared_ptr<listed_segment> oldest;
  for (const auto& each : open_)
    if (auto known = each.lock();
        known && (!oldest || known->used_ < oldest->used_))
      oldest = std::move(known);
  std::erase_if(open_, [&](const auto& each) {
    return each.lock() == oldest;
  });
  return oldest;
}

} // namespace torpor
