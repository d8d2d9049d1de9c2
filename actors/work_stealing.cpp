// SPDX-License-Identifier: Apache-2.0
#include "actors/work_stealing.hpp"

#include "runtime/assert.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace torpor {

// -- job_ring -----------------------------------------------------------------

job_ring::job_ring()
  : slots_{std::make_unique_for_overwrite<caf::resumable*[]>(kept_slots)} {}

void job_ring::push_back(caf::resumable* job) {
  TORPOR_ASSERT(job != nullptr);
  if (size_ == capacity())
    grow();
  slots_[(head_ + size_) & mask_] = job;
  ++size_;
}

caf::resumable* job_ring::pop_front() noexcept {
  if (size_ == 0)
    return nullptr;
  auto* job = slots_[head_];
  head_ = (head_ + 1) & mask_;
  --size_;
  shrink_if_empty();
  return job;
}

void job_ring::grow() {
  const auto old = capacity();
  auto slots = std::make_unique_for_overwrite<caf::resumable*[]>(2 * old);
  std::rotate_copy(slots_.get(), slots_.get() + head_, slots_.get() + old,
                   slots.get());
  slots_ = std::move(slots);
  mask_ = 2 * old - 1;
  head_ = 0;
}

void job_ring::shrink_if_empty() noexcept {
  if (size_ > 0 || capacity() == kept_slots)
    return;
  // Without memory for the small array, the large one stays.
  if (auto* slots = new (std::nothrow) caf::resumable*[kept_slots]) {
    slots_.reset(slots);
    mask_ = kept_slots - 1;
    head_ = 0;
  }
}

// -- job_queue ----------------------------------------------------------------

std::size_t job_queue::push(caf::resumable* job) {
  std::lock_guard guard{mutex_};
  ring_.push_back(job);
  size_.store(ring_.size());
  return ring_.size();
}

caf::resumable* job_queue::take() noexcept {
  if (empty())
    return nullptr;
  std::lock_guard guard{mutex_};
  auto* job = ring_.pop_front();
  // Whoever misses this looks once too often, no worse: no order is needed.
  size_.store(ring_.size(), std::memory_order_relaxed);
  return job;
}

// -- parking_lot --------------------------------------------------------------

bool parking_lot::retract() noexcept {
  auto state = state_.load();
  while (parked(state) > 0)
    if (unpark(state))
      return true;
  return false;
}

void parking_lot::wake_one() {
  auto state = state_.load();
  while (parked(state) > 0 && searching(state) == 0) {
    if (unpark(state)) {
      {
        std::lock_guard guard{mutex_};
        ++permits_;
      }
      permitted_.notify_one();
      return;
    }
  }
}

void parking_lot::sleep() {
  std::unique_lock guard{mutex_};
  permitted_.wait(guard, [this] { return permits_ > 0; });
  --permits_;
}

bool parking_lot::unpark(std::uint32_t& state) noexcept {
  return state_.compare_exchange_weak(state,
                                      state - one_parked + one_searching);
}

} // namespace torpor
