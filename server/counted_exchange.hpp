// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_counts.hpp"
#include "server/http_exchange.hpp"
#include "server/rate_limiter.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace torpor {

/// An exchange that counts what is answered: passes all on to the one of the
/// connection. Deletes itself when the exchange has ended.
/// Threads: those of its loop.
class counted_exchange final : public http_exchange {
public:
  /// What is read or written below `stream_root`, and what follows a stream.
  struct kind {
    bool stream = false;
    bool live = false;
  };

  counted_exchange(http_exchange& inner, http_counts& counts, kind what);
  counted_exchange(const counted_exchange&) = delete;
  counted_exchange& operator=(const counted_exchange&) = delete;

  /// Takes the bytes of the answer off the tenant's rate, too.
  void charge_to(rate_limiter& limiter, std::string tenant);

  [[nodiscard]] http_request& request() override { return inner_.request(); }
  void drop_request() override { inner_.drop_request(); }
  [[nodiscard]] std::string peer() const override { return inner_.peer(); }
  [[nodiscard]] io_loop& loop() override { return inner_.loop(); }
  void respond(http_response answer) override;
  void begin(http_response head) override;
  void write(shared_text part, std::string_view tail) override;
  [[nodiscard]] std::size_t unsent_bytes() const override {
    return inner_.unsent_bytes();
  }
  void on_drained(std::function<void()> then) override {
    inner_.on_drained(std::move(then));
  }
  void end() override;
  void on_abort(answer_wait wait, std::function<void()> then) override;

private:
  ~counted_exchange() override;

  void count(const http_response& answer);
  void count_sent(std::size_t bytes);
  void log(unsigned status, std::chrono::nanoseconds took) const;

  http_exchange& inner_;
  http_counts& counts_;
  rate_limiter* limiter_ = nullptr; ///< Null: the tenant has no limit.
  std::string tenant_;
  std::string path_; ///< Only if it is going to be logged.
  std::function<void()> aborted_;
  std::chrono::steady_clock::time_point begun_;
  boost::beast::http::verb method_;
  kind kind_;
  bool reads_ = false; ///< It is answered with what a stream has.
};

} // namespace torpor
