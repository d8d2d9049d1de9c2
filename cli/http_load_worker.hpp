// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/http_load.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace torpor {

/// What all threads of a load share.
struct http_load_state {
  http_load_options how;
  std::atomic<std::int64_t> measure_from; ///< As `load_clock_ns`.
  std::atomic<std::int64_t> measure_to;
  std::atomic<bool> stopping{false};  ///< No more requests.
  std::atomic<bool> abandoned{false}; ///< Nor answers.
};

/// A load's clock: steady, ns.
[[nodiscard]] std::int64_t load_clock_ns();

/// One thread of a load with its connections.
/// Threads: its own; `answered`, `busy` and `failed` any, all else when it has
/// ended.
class http_load_worker {
public:
  http_load_worker(http_load_state& all, std::uint32_t index,
                   std::unique_ptr<http_load_source> source);
  ~http_load_worker();

  [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
  [[nodiscard]] bool busy() const noexcept { return busy_ > 0; }

  void join() { thread_.join(); }

  latency_histogram latencies;
  std::array<std::uint64_t, 1000> statuses{};
  std::uint64_t cuts = 0;
  std::uint64_t cpu_ns = 0;
  std::optional<error> failure;

private:
  enum class state : std::uint8_t { idle, paused, connecting, sending, waiting };

  struct connection {
    std::uint32_t number = 0; ///< Over all threads.
    load_socket socket;
    http_load_request request;
    state doing = state::idle;
    bool writable_wanted = false;
    bool closes = false;       ///< Behind this answer.
    std::size_t sent = 0;
    std::size_t received = 0;  ///< In `buffer`.
    std::uint64_t body = 0;    ///< Of an answer whose head is there.
    std::uint64_t missing = 0; ///< Of that body.
    std::size_t head = 0;      ///< Its bytes; 0: not there yet.
    unsigned status = 0;
    std::int64_t began = 0;    ///< The request's first attempt, ns.
    std::int64_t resume = 0;   ///< When a pause ends, ns.
    std::array<char, 4096> buffer;
  };

  void run();
  void begin(connection& of);
  void attempt(connection& of);
  void on_ready(connection& of, std::uint32_t events);
  void push(connection& of);
  void pull(connection& of);
  [[nodiscard]] bool take_head(connection& of);
  void complete(connection& of);
  void settle(connection& of, const http_load_answer& answer);
  void cut(connection& of, int code);
  void pause(connection& of, std::int64_t ns);
  void rest(connection& of);
  void resume_paused();
  void give_up_late();
  void watch(connection& of, bool writable, bool fresh = false);
  void fail_with(error why);

  http_load_state& all_;
  std::uint32_t index_;
  std::unique_ptr<http_load_source> source_;
  int epoll_ = -1;
  std::vector<connection> connections_;
  std::vector<std::uint32_t> paused_;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint32_t> busy_{0};
  std::int64_t last_answer_ = 0; ///< Below 400, ns.
  std::thread thread_;           ///< Last: it uses all of the above.
};

} // namespace torpor
