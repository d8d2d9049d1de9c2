// SPDX-License-Identifier: Apache-2.0
#include "runtime/review_queue.hpp"

#include <algorithm>
#include <limits>

namespace torpor {

namespace {

constexpr stream_id last_id{std::numeric_limits<std::uint64_t>::max()};

} // namespace

void review_queue::add(stream_review review) {
  if (added_.empty() || review < *added_.begin())
    earlier_ = true;
  added_.insert(review);
}

void review_queue::replace(stream_review old, stream_review with) {
  added_.erase(old);
  if (with.time_ms != 0)
    add(with);
}

void review_queue::saved(stream_review review) {
  // The catalog's are not asked again behind where they were taken.
  if (review > taken_)
    added_.erase(review);
}

result<std::vector<stream_id>> review_queue::take(std::int64_t now_ms,
                                                  std::size_t count_max,
                                                  catalog_reader& stored) {
  const stream_review until{now_ms, last_id};
  std::vector<stream_id> due;
  if (taken_ < until && count_max > 0) {
    const auto found = stored.reviews(taken_, until, count_max, shard_,
                                      shards_);
    if (!found)
      return tl::unexpected{found.error()};
    for (const auto& review : *found)
      due.push_back(review.stream);
    taken_ = found->size() < count_max ? until : found->back();
  }
  while (due.size() < count_max && !added_.empty()
         && *added_.begin() <= until) {
    due.push_back(added_.begin()->stream);
    added_.erase(added_.begin());
  }
  return due;
}

result<std::optional<std::int64_t>>
review_queue::next(catalog_reader& stored) const {
  constexpr stream_review end{std::numeric_limits<std::int64_t>::max(),
                              last_id};
  const auto found = stored.reviews(taken_, end, 1, shard_, shards_);
  if (!found)
    return tl::unexpected{found.error()};
  std::optional<std::int64_t> next;
  if (!found->empty())
    next = found->front().time_ms;
  if (!added_.empty())
    next = std::min(next.value_or(added_.begin()->time_ms),
                    added_.begin()->time_ms);
  return next;
}

} // namespace torpor
