// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/engine.hpp"

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace torpor {

/// Answers a future with the outcome of a batch of one request, then dies.
template <class T, class Map>
class write_promise final : public write_sink {
public:
  explicit write_promise(Map map) : map_(std::move(map)) {}

  void done(std::unique_ptr<write_batch> batch) override {
    const std::unique_ptr<write_promise> last{this};
    if (batch->outcome(0).code != errc{})
      promise.set_value(tl::unexpected{batch->failure(0)});
    else if constexpr (std::is_void_v<T>)
      map_(batch->outcome(0)), promise.set_value({});
    else
      promise.set_value(map_(batch->outcome(0)));
  }

  std::promise<result<T>> promise;

private:
  Map map_;
};

/// Sends one write; `fill` puts it into an empty batch, `map` makes the answer
/// of its outcome.
template <class T, class Fill, class Map>
[[nodiscard]] std::future<result<T>> send_write(engine& to, stream_ref stream,
                                                Fill fill, Map map) {
  auto sink = std::make_unique<write_promise<T, Map>>(std::move(map));
  auto answer = sink->promise.get_future();
  auto batch = std::make_unique<write_batch>();
  fill(*batch);
  batch->sink(sink.release());
  to.submit(to.shard(stream), std::move(batch));
  return answer;
}

/// Answers a future with a page.
class read_promise final : public read_sink {
public:
  void done(result<read_page> page) override {
    promise.set_value(std::move(page));
  }

  std::promise<result<read_page>> promise;
};

/// One sync of every shard, answered when all are done.
class sync_round final : public std::enable_shared_from_this<sync_round> {
public:
  explicit sync_round(std::size_t shards) : left_(shards) {}

  void send(engine& to, std::uint32_t shard) {
    auto sink = std::make_unique<part>(shared_from_this());
    auto batch = std::make_unique<write_batch>();
    batch->control(write_kind::sync, {});
    batch->sink(sink.release());
    to.submit(shard, std::move(batch));
  }

  std::promise<result<void>> promise;

private:
  class part final : public write_sink {
  public:
    explicit part(std::shared_ptr<sync_round> whole)
      : whole_(std::move(whole)) {}
    void done(std::unique_ptr<write_batch> batch) override {
      const std::unique_ptr<part> last{this};
      whole_->arrive(batch->outcome(0).code != errc{}
                       ? std::optional{batch->failure(0)}
                       : std::nullopt);
    }

  private:
    std::shared_ptr<sync_round> whole_;
  };

  void arrive(std::optional<error> failure) {
    const std::lock_guard guard{mutex_};
    if (failure)
      failure_ = std::move(failure);
    if (--left_ > 0)
      return;
    if (failure_)
      promise.set_value(tl::unexpected{*failure_});
    else
      promise.set_value({});
  }

  std::mutex mutex_;
  std::size_t left_;
  std::optional<error> failure_;
};

} // namespace torpor
