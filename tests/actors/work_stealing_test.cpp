// SPDX-License-Identifier: Apache-2.0
#include "actors/work_stealing.hpp"

#include <doctest/doctest.h>

#include <caf/all.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace torpor;

namespace {

/// A job that runs a function. The pool frees it.
class task : public caf::resumable, public caf::ref_counted {
public:
  using body = std::function<resume_result(caf::execution_unit*)>;

  explicit task(body run) : run_{std::move(run)} {}

  resume_result resume(caf::execution_unit* worker, std::size_t) override {
    return run_(worker);
  }
  void intrusive_ptr_add_ref_impl() override { ref(); }
  void intrusive_ptr_release_impl() override { deref(); }

private:
  body run_;
};

/// A job that runs `function(worker)` once.
template <class Function>
task* once(Function function) {
  return new task{[function](caf::execution_unit* worker) {
    function(worker);
    return caf::resumable::done;
  }};
}

/// An actor system on our policy.
class pool {
public:
  explicit pool(std::size_t workers) {
    config_.set("scheduler.max-threads", workers);
    config_.load<caf::scheduler::coordinator<work_stealing>>();
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  caf::actor_system& system() { return *system_; }
  void run(task* job) { system_->scheduler().enqueue(job); }

private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

caf::behavior echo() {
  return {[](int number) { return number; }};
}

/// Jobs that are never run, to be told apart by their address.
std::vector<std::unique_ptr<task>> make_jobs(std::size_t count) {
  std::vector<std::unique_ptr<task>> jobs;
  for (std::size_t i = 0; i < count; ++i)
    jobs.push_back(std::make_unique<task>(task::body{}));
  return jobs;
}

} // namespace

// -- job_ring and job_queue ---------------------------------------------------

TEST_CASE("a ring yields the jobs that a std::deque would") {
  const auto jobs = make_jobs(512);
  std::mt19937 random{4711};
  job_ring ring;
  std::deque<caf::resumable*> model;
  for (auto step = 0; step < 200'000; ++step) {
    // Phases of growing and of emptying, over several doublings.
    const auto growing = step / 10'000 % 2 == 0;
    if (random() % 10 < (growing ? 7U : 2U)) {
      model.push_back(jobs[random() % jobs.size()].get());
      ring.push_back(model.back());
    } else {
      auto* const expected = model.empty() ? nullptr : model.front();
      if (!model.empty())
        model.pop_front();
      REQUIRE(ring.pop_front() == expected);
    }
    REQUIRE(ring.size() == model.size());
  }
}

TEST_CASE("a ring that was large gives its memory back once it is empty") {
  const auto jobs = make_jobs(1);
  job_ring ring;
  for (auto i = 0; i < 100'000; ++i)
    ring.push_back(jobs[0].get());
  CHECK(ring.capacity() == 131'072);
  while (ring.size() > 1)
    ring.pop_front();
  CHECK(ring.capacity() == 131'072);
  CHECK(ring.pop_front() == jobs[0].get());
  CHECK(ring.capacity() == job_ring::kept_slots);
  CHECK(ring.pop_front() == nullptr);
  ring.push_back(jobs[0].get());
  CHECK(ring.pop_front() == jobs[0].get());
}

TEST_CASE("a queue hands out its oldest job, whoever asks") {
  const auto jobs = make_jobs(3);
  job_queue queue;
  CHECK(queue.empty());
  CHECK(queue.take() == nullptr);
  for (const auto& job : jobs)
    queue.push(job.get());
  for (const auto& job : jobs) {
    CHECK_FALSE(queue.empty());
    CHECK(queue.take() == job.get());
  }
  CHECK(queue.empty());
}

// -- parking_lot --------------------------------------------------------------

TEST_CASE("an enqueue wakes one worker, and none while a worker searches") {
  parking_lot lot;
  lot.wake_one(); // Nobody is there to be woken.
  CHECK(lot.searching() == 0);
  for (auto i = 0; i < 3; ++i) {
    lot.start_search();
    lot.give_up();
  }
  CHECK(lot.parked() == 3);
  lot.wake_one();
  CHECK(lot.parked() == 2);
  CHECK(lot.searching() == 1);
  lot.wake_one();
  CHECK(lot.parked() == 2);
  CHECK(lot.searching() == 1);
}

TEST_CASE("a worker that is woken before it falls asleep does not sleep") {
  parking_lot lot;
  lot.start_search();
  lot.give_up();
  lot.wake_one();
  CHECK_FALSE(lot.retract()); // Too late: it has been chosen.
  lot.sleep();                // Returns at once.
  CHECK(lot.searching() == 1);
  CHECK(lot.parked() == 0);
}

TEST_CASE("a worker that sees a job at the last moment need not park") {
  parking_lot lot;
  lot.start_search();
  lot.give_up();
  CHECK(lot.retract());
  CHECK(lot.searching() == 1);
  CHECK(lot.parked() == 0);
}

TEST_CASE("only the last worker that finds a job passes the search on") {
  parking_lot lot;
  lot.start_search();
  lot.start_search();
  CHECK_FALSE(lot.found());
  CHECK(lot.found());
}

// -- the protocol between queues and parking lot ------------------------------

namespace {

/// A pool without threads: its only thread runs one worker's dequeue, and at a
/// chosen step of it jobs arrive as if another thread had sent them.
class scripted_pool {
public:
  /// Tells the test when the worker is about to block.
  struct watched_lot : parking_lot {
    std::function<void()> before_sleep;
    void sleep() {
      before_sleep();
      parking_lot::sleep();
    }
  };

  struct shared_data {
    watched_lot lot;
  };

  class worker {
  public:
    explicit worker(scripted_pool* parent) : parent_{parent} {}
    scripted_pool* parent() { return parent_->step(); }
    work_stealing::worker_data& data() { return data_; }

  private:
    scripted_pool* parent_;
    work_stealing::worker_data data_{nullptr};
  };

  /// The jobs arrive at step `at` of worker 0, in the queue of `receiver`,
  /// while `parked` workers sleep.
  scripted_pool(std::size_t at, std::size_t receiver, std::size_t parked)
    : at_{at}, receiver_{receiver} {
    for (std::size_t i = 0; i < 3; ++i)
      workers_.push_back(std::make_unique<worker>(this));
    for (std::size_t i = 0; i < parked; ++i) {
      shared_.lot.start_search();
      shared_.lot.give_up();
    }
    shared_.lot.before_sleep = [this, parked] {
      asleep_ = true;
      if (shared_.lot.parked() > parked)
        REQUIRE(!arrived_); // Else the worker would sleep in spite of a job.
      arrive();
    };
  }

  caf::resumable* dequeue() { return policy_.dequeue(workers_[0].get()); }

  /// Worker 0 runs a job that makes another one.
  void push_own() {
    policy_.internal_enqueue(workers_[0].get(), jobs_[0].get());
  }

  /// Another worker takes worker 0's oldest job.
  caf::resumable* steal() { return workers_[0]->data().queue.take(); }

  [[nodiscard]] bool asleep() const { return asleep_; }
  [[nodiscard]] std::size_t parked() const { return shared_.lot.parked(); }

  /// Jobs are left although nobody searches and somebody could.
  [[nodiscard]] bool neglects_jobs() {
    auto& lot = shared_.lot;
    auto queued = false;
    for (const auto& each : workers_)
      queued = queued || !each->data().queue.empty();
    return queued && lot.searching() == 0 && lot.parked() > 0;
  }

  // What the policy asks of a coordinator.
  shared_data& data() { return step()->shared_; }
  std::size_t num_workers() { return step()->workers_.size(); }
  worker* worker_by_id(std::size_t id) { return step()->workers_[id].get(); }

private:
  scripted_pool* step() {
    if (steps_++ == at_)
      arrive();
    return this;
  }

  void arrive() {
    if (std::exchange(arrived_, true))
      return;
    for (const auto& job : jobs_)
      policy_.external_enqueue(workers_[receiver_].get(), job.get());
  }

  std::size_t at_;
  std::size_t receiver_;
  std::size_t steps_ = 0;
  bool arrived_ = false;
  bool asleep_ = false;
  std::vector<std::unique_ptr<task>> jobs_ = make_jobs(3);
  std::vector<std::unique_ptr<worker>> workers_;
  shared_data shared_;
  work_stealing policy_;
};

} // namespace

TEST_CASE("jobs are seen at whatever step of a search they arrive") {
  for (std::size_t receiver = 0; receiver < 3; ++receiver)
    for (std::size_t parked = 0; parked < 3; ++parked) {
      auto asleep = false;
      for (std::size_t step = 0; !asleep; ++step) {
        CAPTURE(receiver);
        CAPTURE(parked);
        CAPTURE(step);
        scripted_pool pool{step, receiver, parked};
        CHECK(pool.dequeue() != nullptr);
        CHECK_FALSE(pool.neglects_jobs());
        asleep = pool.asleep();
      }
    }
}

TEST_CASE("a worker's own next job wakes nobody, the one behind it does") {
  constexpr std::size_t never = ~std::size_t{0};
  scripted_pool pool{never, 0, 2};
  pool.push_own();
  CHECK(pool.parked() == 2);
  pool.push_own();
  CHECK(pool.parked() == 1);
}

TEST_CASE("a worker's second job wakes somebody though the first was stolen") {
  constexpr std::size_t never = ~std::size_t{0};
  scripted_pool pool{never, 0, 2};
  pool.push_own();
  REQUIRE(pool.steal() != nullptr);
  pool.push_own();
  CHECK(pool.parked() == 1);
}

TEST_CASE("what a worker made in an earlier turn does not count") {
  constexpr std::size_t never = ~std::size_t{0};
  scripted_pool pool{never, 0, 2};
  for (auto turn = 0; turn < 3; ++turn) {
    pool.push_own();
    CHECK(pool.dequeue() != nullptr);
  }
  CHECK(pool.parked() == 2);
}

// -- the pool -----------------------------------------------------------------

TEST_CASE("a message to an idle pool is always answered") {
  for (const auto workers : {1U, 2U, 4U}) {
    pool idle{workers};
    auto answerer = idle.system().spawn(echo);
    caf::scoped_actor self{idle.system()};
    for (auto round = 0; round < 10'000; ++round)
      self->request(answerer, caf::infinite, round)
        .receive([&](int answer) { REQUIRE(answer == round); },
                 [](const caf::error&) { FAIL("no answer"); });
  }
}

TEST_CASE("a job that arrives while its worker falls asleep runs") {
  pool drowsy{1};
  std::atomic<int> done = 0;
  for (auto round = 1; round <= 50'000; ++round) {
    drowsy.run(once([&](caf::execution_unit*) { ++done; }));
    // Not a wait that blocks: the next job shall meet the worker on its way.
    while (done < round)
      std::this_thread::yield();
    for (volatile auto pause = round % 256; pause > 0;)
      pause = pause - 1;
  }
}

TEST_CASE("bursts from many threads into a drowsy pool all run") {
  pool drowsy{4};
  // Each thread waits for its burst, so the pool runs dry again and again.
  const auto burst = [&](std::ptrdiff_t jobs) {
    std::latch ran{jobs};
    for (auto i = std::ptrdiff_t{0}; i < jobs; ++i)
      drowsy.run(once([&](caf::execution_unit*) { ran.count_down(); }));
    ran.wait();
  };
  std::vector<std::thread> threads;
  for (auto thread = 0U; thread < 6; ++thread)
    threads.emplace_back([&, thread] {
      std::minstd_rand random{thread + 1};
      for (auto round = 0; round < 5'000; ++round)
        burst(1 + static_cast<std::ptrdiff_t>(random() % 6));
    });
  for (auto& thread : threads)
    thread.join();
}

TEST_CASE("each of 300,000 queued jobs runs exactly once") {
  constexpr std::ptrdiff_t jobs = 300'000;
  pool busy{4};
  std::vector<std::atomic<int>> runs(2 * jobs);
  std::latch ran{2 * jobs};
  const auto count = [&](std::size_t job) {
    return once([&runs, &ran, job](caf::execution_unit*) {
      ++runs[job];
      ran.count_down();
    });
  };
  busy.run(once([&](caf::execution_unit* worker) {
    for (std::size_t job = 0; job < jobs; ++job)
      worker->exec_later(count(job));
  }));
  for (std::size_t job = jobs; job < 2 * jobs; ++job)
    busy.run(count(job));
  ran.wait();
  for (const auto& number : runs)
    REQUIRE(number == 1);
}

TEST_CASE("jobs of one worker run in the order in which they came") {
  std::vector<std::string> order;
  std::latch ran{1};
  pool single{1};
  single.run(once([&](caf::execution_unit* worker) {
    worker->exec_later(new task{[&, turn = 0](caf::execution_unit*) mutable {
      order.push_back("long " + std::to_string(turn));
      if (++turn < 3)
        return caf::resumable::resume_later;
      ran.count_down();
      return caf::resumable::done;
    }});
    for (const auto* name : {"a", "b"})
      worker->exec_later(once([&order, name](caf::execution_unit*) {
        order.emplace_back(name);
      }));
  }));
  ran.wait();
  CHECK(order
        == std::vector<std::string>{"long 0", "a", "b", "long 1", "long 2"});
}

TEST_CASE("jobs behind a blocked one are run by a parked worker") {
  pool half_idle{2};
  for (auto round = 0; round < 2'000; ++round) {
    std::latch unblocked{2};
    std::latch ran{1};
    half_idle.run(once([&](caf::execution_unit* worker) {
      for (auto jobs = 0; jobs < 2; ++jobs)
        worker->exec_later(
          once([&](caf::execution_unit*) { unblocked.count_down(); }));
      unblocked.wait();
      ran.count_down();
    }));
    ran.wait();
  }
}

TEST_CASE("a job behind a blocked one runs though all others are busy") {
  pool busy{2};
  std::atomic<bool> enough = false;
  std::atomic<std::size_t> turns = 0;
  std::latch ran{2};
  busy.run(new task{[&](caf::execution_unit*) {
    ++turns;
    turns.notify_all();
    if (!enough)
      return caf::resumable::resume_later;
    ran.count_down();
    return caf::resumable::done;
  }});
  busy.run(once([&](caf::execution_unit* worker) {
    // From here on the other worker always has a job of its own.
    const auto before = turns.load();
    turns.wait(before);
    turns.wait(before + 1);
    worker->exec_later(once([&](caf::execution_unit*) {
      enough = true;
      enough.notify_all();
    }));
    enough.wait(false);
    ran.count_down();
  }));
  ran.wait();
  CHECK(enough);
}

TEST_CASE("a pool shuts down, whether its workers are parked or busy") {
  for (auto round = 0; round < 50; ++round)
    pool parked{4};
  for (auto round = 0; round < 50; ++round) {
    std::atomic<int> runs = 0;
    {
      pool busy{4};
      for (auto i = 0; i < 100; ++i)
        busy.system().spawn([&](caf::event_based_actor*) { ++runs; });
    }
    CHECK(runs == 100);
  }
}
