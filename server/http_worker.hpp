// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/body_budget.hpp"
#include "server/http_exchange.hpp"
#include "server/http_head.hpp"
#include "server/http_options.hpp"
#include "server/io_loop.hpp"
#include "server/request_reader.hpp"
#include "server/tls_context.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace torpor {

class http_connection;

/// What all loops of a server share. Threads: any; but the context of TLS and
/// the options do not change.
struct http_shared {
  explicit http_shared(const http_options& given)
    : options(given),
      bodies(given.bodies_bytes_max),
      limits{given.header_bytes_max, given.body_bytes_max, &bodies} {}

  http_options options;
  body_budget bodies;
  request_limits limits;
  tls_context tls{};
  std::atomic<std::uint32_t> connections{0}; ///< Open ones.
};

/// What has passed through the door since its start.
struct http_traffic {
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
};

/// The connections of one loop, and what they have in common: the handler, a
/// buffer to read into, one to write in.
/// Threads: those of its loop; `traffic` any.
class http_worker {
public:
  http_worker(http_shared& shared, io_loop& loop,
              std::unique_ptr<http_handler> handler);
  ~http_worker();

  /// Takes over a socket that was accepted and counted.
  void adopt(int socket, bool secured);

  /// Closes what waits, lets what is being answered end within the stop's
  /// timeout, then ends the loop.
  void stop();

  [[nodiscard]] http_traffic traffic() const;

  // For connections.

  [[nodiscard]] const http_shared& shared() const noexcept { return shared_; }
  [[nodiscard]] const http_options& options() const noexcept {
    return shared_.options;
  }
  [[nodiscard]] io_loop& loop() noexcept { return loop_; }
  [[nodiscard]] http_handler& handler() noexcept { return *handler_; }
  [[nodiscard]] bool stopping() const noexcept { return stopping_; }
  [[nodiscard]] std::string_view date() {
    return date_.at(loop_.time().wall_ms());
  }
  /// To read into; what it holds is good until the next read.
  [[nodiscard]] std::span<char> input() noexcept { return input_; }
  /// To write in, empty; good until somebody else asks for it.
  [[nodiscard]] std::string& output();
  void count_received(std::size_t bytes);
  void count_sent(std::size_t bytes);
  void remove(http_connection& gone);

private:
  void wind_down(bool hard);

  http_shared& shared_;
  io_loop& loop_;
  std::unique_ptr<http_handler> handler_;
  std::vector<std::unique_ptr<http_connection>> connections_;
  date_text date_;
  std::array<char, 64 << 10> input_;
  std::string output_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> sent_{0};
};

} // namespace torpor
