// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/durable_streams.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/manual_clock.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace torpor::test {

/// A page with these payloads from `from` on; the stream ends behind it, or
/// has `more` entries.
inline read_page page_with(std::vector<std::string_view> payloads,
                           std::uint64_t from, std::string type,
                           bool closed = false, std::uint64_t more = 0) {
  read_page page;
  page.stream = stream_id{77};
  for (const auto each : payloads) {
    entry_view entry;
    entry.seq = sequence{from++};
    entry.payload = as_bytes(each); // Of texts that live on.
    page.entries.push_back(entry);
  }
  page.next_from = sequence{from};
  page.next = sequence{from + more};
  page.closed = closed;
  page.content_type = std::move(type);
  return page;
}

/// A store that answers when and what the test says.
class scripted_store final : public stream_store {
public:
  struct write_call {
    std::uint32_t shard;
    std::unique_ptr<write_batch> batch;
    write_done done;
  };
  struct read_call {
    std::unique_ptr<read_request> request;
    read_done done;
  };
  struct info_call {
    std::string name;
    info_done done;
  };
  struct fork_call {
    fork_request request;
    fork_done done;
  };

  std::uint32_t shard(std::string_view name) const override {
    return static_cast<std::uint32_t>(name.size() % 2);
  }
  std::uint32_t shards() const override { return 2; }
  void write(std::uint32_t shard, std::unique_ptr<write_batch> batch,
             write_done done) override {
    writes.push_back({shard, std::move(batch), std::move(done)});
  }
  void read(std::unique_ptr<read_request> request, read_done done) override {
    reads.push_back({std::move(request), std::move(done)});
  }
  void cancel(stream_id, std::uint64_t ticket) override {
    cancelled.push_back(ticket);
  }
  void info(std::string name, info_done done) override {
    infos.push_back({std::move(name), std::move(done)});
  }
  void fork(fork_request request, fork_done done) override {
    forks.push_back({std::move(request), std::move(done)});
  }

  /// Answers the oldest call of a kind.
  void answer_write(const write_outcome& outcome) {
    auto call = take(writes);
    if (outcome.code == errc{}) {
      call.batch->promise(0, outcome);
    } else {
      call.batch->hold(2);
      static_cast<void>(call.batch->fail(0, {outcome.code, "why"}));
      call.batch->promise(0, outcome);
    }
    call.done(std::move(call.batch));
  }
  void answer_read(result<read_page> page) {
    auto call = take(reads);
    call.done(std::move(page));
  }
  void answer_info(result<stream_info> info) {
    auto call = take(infos);
    call.done(std::move(info));
  }
  void answer_fork(result<write_outcome> outcome) {
    auto call = take(forks);
    call.done(std::move(outcome));
  }

  std::deque<write_call> writes;
  std::deque<read_call> reads;
  std::deque<info_call> infos;
  std::deque<fork_call> forks;
  std::vector<std::uint64_t> cancelled;

private:
  template <class T>
  static T take(std::deque<T>& from) {
    REQUIRE_FALSE(from.empty());
    auto first = std::move(from.front());
    from.pop_front();
    return first;
  }
};

/// The protocol between fake exchanges and a scripted store; the loop is gone
/// round by hand.
class stream_fixture {
public:
  explicit stream_fixture(stream_options given = {})
    : options(std::move(given)) {}

  std::shared_ptr<fake_exchange> ask(boost::beast::http::verb method,
                                     const std::string& target,
                                     const fields& all = {},
                                     std::string body = {}) {
    exchanges.push_back(std::make_shared<fake_exchange>(
      loop, method, target, all, std::move(body)));
    streams.handle(*exchanges.back());
    go_round();
    return exchanges.back();
  }
  std::shared_ptr<fake_exchange> get(const std::string& query,
                                     const fields& all = {}) {
    return ask(boost::beast::http::verb::get, "/v1/stream/a" + query, all);
  }

  void go_round() {
    loop.context().restart();
    loop.context().poll();
  }
  void pass(std::uint64_t ms) {
    time.monotonic += ms;
    time.wall += static_cast<std::int64_t>(ms);
    loop.call_due();
    go_round();
  }

  stream_options options;
  manual_clock time;
  io_loop loop{time};
  scripted_store& store = *new scripted_store; // `streams` owns it.
  durable_streams streams{loop, std::unique_ptr<stream_store>{&store}, options};
  std::vector<std::shared_ptr<fake_exchange>> exchanges;
};

} // namespace torpor::test
