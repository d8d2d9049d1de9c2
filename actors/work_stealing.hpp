// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace torpor {

/// Jobs in a circular array that doubles when it is full: first in, first out,
/// O(1), amortised where it grows. A job is never null.
/// Threads: one owner.
class job_ring {
public:
  /// Slots of a ring that is empty, 8 KiB. A power of two.
  static constexpr std::size_t kept_slots = 1024;

  job_ring();

  void push_back(caf::resumable* job);

  /// Null when empty. Taking the last job gives the memory of a full past back.
  caf::resumable* pop_front() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }

private:
  void grow();
  void shrink_if_empty() noexcept;

  std::unique_ptr<caf::resumable*[]> slots_;
  std::size_t mask_ = kept_slots - 1; ///< Capacity, a power of two, less one.
  std::size_t head_ = 0;              ///< Slot of the front.
  std::size_t size_ = 0;
};

/// The jobs of one worker. Everybody, the worker included, takes the oldest:
/// so no job waits for a younger one, whoever runs it.
/// Threads: any; guarded by mutex_.
class job_queue {
public:
  /// Returns how many jobs there are now.
  std::size_t push(caf::resumable* job);

  /// The oldest job, or null.
  caf::resumable* take() noexcept;

  /// Takes no lock, but sees every job whose push has returned (parking_lot).
  [[nodiscard]] bool empty() const noexcept { return size_.load() == 0; }

private:
  std::mutex mutex_;
  job_ring ring_;
  std::atomic<std::size_t> size_{0}; ///< ring_.size(), for readers outside.
};

/// Where workers without a job sleep, and how they are woken. A worker runs a
/// job, searches for one, or is parked:
///
///     running --start_search--> searching --found--> running
///     searching --give_up--> parked --retract, wake_one--> searching
///
/// No wake-up is lost. A producer first pushes its job, then looks at the state
/// (wake_one). A worker first changes the state (give_up, found), then looks at
/// all queues. Queue sizes and state are sequentially consistent, so there is
/// one order of these four steps, and at least one side sees the other. What
/// the producer can see:
///   * Somebody searches: it wakes nobody, which is what spares a futex call
///     per job. Each searcher leaves that state after the producer's look, and
///     the last one to leave looks at all queues afterwards: it finds the job
///     and passes the search on (found) or takes it up again (retract).
///   * Nobody searches, somebody is parked: it turns one parked worker into a
///     searching one and hands out a permit for it.
///   * Neither: all workers run jobs, and each will look before it parks.
/// Permits are not addressed to anybody: as many are handed out as workers that
/// were counted parked will have to take one, so sleep() cannot miss its own.
/// Threads: any; state_ is atomic, permits_ is guarded by mutex_.
class parking_lot {
public:
  /// The caller has run out of jobs and looks for one elsewhere.
  void start_search() noexcept { state_.fetch_add(one_searching); }

  /// The caller has found a job. When it returns true, nobody searches any
  /// more: if a queue has a job left, the caller must call wake_one().
  [[nodiscard]] bool found() noexcept {
    return searching(state_.fetch_sub(one_searching)) == 1;
  }

  /// The caller has found nothing. Afterwards it must look at all queues once
  /// more and either retract() or sleep().
  void give_up() noexcept { state_.fetch_add(one_parked - one_searching); }

  /// The caller searches again after all. Returns false when all that were
  /// parked have been woken meanwhile: then a permit waits in sleep().
  [[nodiscard]] bool retract() noexcept;

  /// Blocks until wake_one() has chosen the caller, which now searches.
  void sleep();

  /// To be called after each push. Wakes one parked worker, unless somebody
  /// searches already.
  void wake_one();

  [[nodiscard]] std::size_t searching() const noexcept {
    return searching(state_.load());
  }
  [[nodiscard]] std::size_t parked() const noexcept {
    return parked(state_.load());
  }

private:
  static constexpr std::uint32_t one_searching = 1;     // Lower 16 bits.
  static constexpr std::uint32_t one_parked = 1U << 16; // Upper 16 bits.

  static constexpr std::uint32_t searching(std::uint32_t state) noexcept {
    return state % one_parked;
  }
  static constexpr std::uint32_t parked(std::uint32_t state) noexcept {
    return state / one_parked;
  }

  bool unpark(std::uint32_t& state) noexcept;

  std::atomic<std::uint32_t> state_{0};
  std::mutex mutex_;
  std::condition_variable permitted_;
  std::size_t permits_ = 0;
};

/// A scheduling policy of CAF for many short jobs: a queue per worker, O(1)
/// steals, no polling (docs/pool.md). It takes the place of CAF's own by
/// `config.load<caf::scheduler::coordinator<torpor::work_stealing>>()`.
/// Threads: each worker and the coordinator have one; what they share is in
/// worker_data and coordinator_data.
class work_stealing : public caf::policy::unprofiled {
public:
  /// Every 61st job of a worker comes from another's queue, if that has one:
  /// a worker that blocks or is preempted does not hold its jobs back, even
  /// while all others are busy. A prime, to fall in step with no workload.
  static constexpr std::size_t turns_per_foreign_job = 61;

  /// Keeps what different threads write apart. Bytes.
  static constexpr std::size_t cache_line = 64;

  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}

    std::atomic<std::size_t> next_worker{0}; ///< For jobs from outside.
    alignas(cache_line) parking_lot lot;
  };

  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    /// CAF copies one blueprint per worker; it holds nothing.
    worker_data(const worker_data&) {}

    alignas(cache_line) job_queue queue;
    // Only the worker's own:
    alignas(cache_line) std::size_t turn = 0;
    std::size_t made = 0; ///< Jobs that its running job has made.
    std::size_t victim = 0;
  };

  /// A job from a thread that is no worker: the workers take turns.
  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    const auto turn
      = d(self).next_worker.fetch_add(1, std::memory_order_relaxed);
    external_enqueue(self->worker_by_id(turn % self->num_workers()), job);
  }

  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    d(self).queue.push(job);
    d(self->parent()).lot.wake_one();
  }

  /// The worker's running job makes another one. It is the worker's next,
  /// unless there are more: only those are worth waking somebody for. A second
  /// one is more even when the first has been stolen: the thief may be asleep
  /// again, and the running job may be about to block.
  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    const auto queued = d(self).queue.push(job);
    if (++d(self).made > 1 || queued > 1)
      d(self->parent()).lot.wake_one();
  }

  /// The job has used up its turn and goes to the end.
  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    internal_enqueue(self, job);
  }

  /// The next job of a worker. Blocks while there is none.
  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    d(self).made = 0;
    if (auto* job = take_in_turn(self))
      return job;
    auto& lot = d(self->parent()).lot;
    lot.start_search();
    for (;;) {
      if (auto* job = steal(self)) {
        if (lot.found() && any_queued(self->parent()))
          lot.wake_one();
        return job;
      }
      lot.give_up();
      if (!any_queued(self->parent()) || !lot.retract())
        lot.sleep();
    }
  }

  /// Hands out what is left after the workers have ended.
  template <class Worker, class Function>
  void foreach_resumable(Worker* self, Function function) {
    while (auto* job = d(self).queue.take())
      function(job);
  }

  template <class Coordinator, class Function>
  void foreach_central_resumable(Coordinator*, Function) {
    // All jobs are in the workers' queues.
  }

private:
  template <class Worker>
  static caf::resumable* take_in_turn(Worker* self) {
    auto& own = d(self);
    if (++own.turn % turns_per_foreign_job == 0)
      if (auto* job = next_victim(self).take()) {
        // What lies in its own queue was not announced to anybody.
        if (!own.queue.empty())
          d(self->parent()).lot.wake_one();
        return job;
      }
    return own.queue.take();
  }

  /// Visits every queue once, from where the last visit ended.
  template <class Worker>
  static caf::resumable* steal(Worker* self) {
    for (std::size_t i = 0; i < self->parent()->num_workers(); ++i)
      if (auto* job = next_victim(self).take())
        return job;
    return nullptr;
  }

  template <class Worker>
  static job_queue& next_victim(Worker* self) {
    auto& victim = d(self).victim;
    victim = (victim + 1) % self->parent()->num_workers();
    return d(self->parent()->worker_by_id(victim)).queue;
  }

  template <class Coordinator>
  static bool any_queued(Coordinator* self) {
    for (std::size_t i = 0; i < self->num_workers(); ++i)
      if (!d(self->worker_by_id(i)).queue.empty())
        return true;
    return false;
  }
};

} // namespace torpor
