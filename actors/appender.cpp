// SPDX-License-Identifier: Apache-2.0
#include "torpor/appender.hpp"

#include "actors/engine.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace torpor {

namespace {

/// A batch with that much leaves without waiting for the one before it.
constexpr std::size_t batch_bytes = 1u << 20;

} // namespace

struct appender::state {
  /// The batches of one shard. Few are under way at once; meanwhile the next
  /// one collects.
  struct lane final : write_sink {
    void done(std::unique_ptr<write_batch> batch) override;
    [[nodiscard]] bool due() const;
    void send(std::unique_lock<std::mutex>& lock, bool may_wait);

    state* owner = nullptr;
    std::uint32_t shard = 0;
    std::mutex mutex;
    std::condition_variable idle; ///< Nobody is in `send` any more.
    std::unique_ptr<write_batch> collecting;
    std::vector<std::unique_ptr<write_batch>> free;
    std::size_t under_way = 0;
    std::thread::id sender; ///< Who is in `send`; nobody at first.
    bool missed = false;    ///< Somebody left something to the sender.
  };

  void arrived(std::uint64_t count);
  void wait_below(std::uint64_t count);

  std::shared_ptr<torpor::engine> engine;
  appender_options options;
  acknowledged on_ack;
  std::deque<lane> lanes;
  std::atomic<std::uint64_t> in_flight{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t arrivals = 0; ///< Batches answered; guarded by `mutex`.
};

bool appender::state::lane::due() const {
  return collecting
         && (under_way == 0 || collecting->size() >= owner->options.batch_max
             || collecting->memory_bytes() >= batch_bytes);
}

/// Sends what is due. One thread at a time, so that batches leave in the order
/// they were filled. The application's threads wait for their turn (they must
/// not fill on while a stopping engine refuses); one that answers, or that is
/// called back while it sends, leaves the look at what is due to the sender.
void appender::state::lane::send(std::unique_lock<std::mutex>& lock,
                                 bool may_wait) {
  const auto me = std::this_thread::get_id();
  while (sender != std::thread::id{}) {
    if (sender == me || !may_wait) {
      missed = true;
      return;
    }
    idle.wait(lock);
  }
  sender = me;
  do {
    missed = false;
    if (!due())
      break;
    auto batch = std::move(collecting);
    ++under_way;
    lock.unlock();
    batch->sink(this);
    owner->engine->submit(shard, std::move(batch)); // May call `done`.
    lock.lock();
  } while (missed);
  sender = {};
  idle.notify_all();
}

void appender::state::lane::done(std::unique_ptr<write_batch> batch) {
  for (std::size_t i = 0; i < batch->size(); ++i) {
    const auto& outcome = batch->outcome(i);
    const auto tag = batch->requests()[i].tag;
    if (outcome.code == errc{}) {
      owner->on_ack(tag, outcome, nullptr);
    } else {
      const auto failure = batch->failure(i);
      owner->on_ack(tag, outcome, &failure);
    }
  }
  const auto count = batch->size();
  {
    std::unique_lock lock{mutex};
    --under_way;
    batch->clear();
    if (free.size() < 4)
      free.push_back(std::move(batch));
    send(lock, false);
  }
  owner->arrived(count);
}

void appender::state::arrived(std::uint64_t count) {
  // Under the mutex, so that nobody who waits misses it or frees us meanwhile.
  const std::lock_guard guard{mutex};
  in_flight -= count;
  ++arrivals;
  changed.notify_all();
}

/// Waits until fewer than `count` appends are unanswered.
void appender::state::wait_below(std::uint64_t count) {
  for (;;) {
    std::uint64_t seen = 0;
    {
      // Who answers is done with us when it has left the mutex.
      const std::lock_guard guard{mutex};
      if (in_flight < count)
        return;
      seen = arrivals;
    }
    for (auto& each : lanes) {
      std::unique_lock lock{each.mutex};
      each.send(lock, true);
    }
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return arrivals != seen; });
  }
}

appender::appender(const runtime& store, const appender_options& options,
                   acknowledged on_ack)
  : state_(std::make_shared<state>()) {
  state_->engine = store.engine();
  state_->options = options;
  state_->on_ack = std::move(on_ack);
  for (std::uint32_t i = 0; i < state_->engine->shards(); ++i) {
    auto& lane = state_->lanes.emplace_back();
    lane.owner = state_.get();
    lane.shard = i;
  }
}

appender::~appender() {
  wait();
}

void appender::append(const stream& to, bytes_view payload,
                      const append_options& how, std::uint64_t tag) {
  if (state_->in_flight >= state_->options.in_flight_max)
    state_->wait_below(state_->options.in_flight_max);
  ++state_->in_flight;
  const auto ref = to.ref();
  auto& lane = state_->lanes[state_->engine->shard(ref)];
  std::unique_lock lock{lane.mutex};
  if (!lane.collecting) {
    if (lane.free.empty()) {
      lane.collecting = std::make_unique<write_batch>();
    } else {
      lane.collecting = std::move(lane.free.back());
      lane.free.pop_back();
    }
  }
  lane.collecting->append(ref, how, tag);
  lane.collecting->add(payload);
  if (ref.id == stream_id{})
    lane.collecting->learn_id({to.shared_, &to.shared_->id});
  lane.send(lock, true);
}

void appender::wait() {
  state_->wait_below(1);
}

std::uint64_t appender::in_flight() const noexcept {
  return state_->in_flight;
}

} // namespace torpor
