// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/assert.hpp"
#include "server/http_exchange.hpp"
#include "server/io_loop.hpp"

#include <optional>
#include <string>
#include <utility>

namespace torpor::test {

/// A request and its answer, which has to come once and in order. Its client
/// takes what is written at once. Threads: one owner.
class recorded_exchange final : public http_exchange {
public:
  recorded_exchange(io_loop& loop, http_request request)
    : loop_{loop},
      request_{std::move(request)} {}

  http_request& request() override { return request_; }
  void drop_request() override { request_ = {}; }
  std::string peer() const override { return "127.0.0.1"; }
  io_loop& loop() override { return loop_; }
  void respond(http_response given) override {
    TORPOR_ASSERT(!over_ && !head_);
    head_ = std::move(given);
    body_ = text_of(*head_);
    finish();
  }
  void begin(http_response given) override {
    TORPOR_ASSERT(!over_ && !head_);
    head_ = std::move(given);
    request_ = {};
  }
  void write(shared_text part, std::string_view tail) override {
    TORPOR_ASSERT(!over_ && head_);
    body_.append(*part).append(tail);
  }
  std::size_t unsent_bytes() const override { return 0; }
  void on_drained(std::function<void()> then) override {
    loop_.post(std::move(then));
  }
  void end() override {
    TORPOR_ASSERT(!over_ && head_);
    finish();
  }
  void on_abort(answer_wait, std::function<void()> then) override {
    aborted_ = std::move(then);
  }

  /// The client goes away.
  void abort() {
    over_ = true;
    if (const auto then = std::exchange(aborted_, {}))
      then();
  }

  [[nodiscard]] bool over() const noexcept { return over_; }
  /// The answer; none while there is none, or when the client went before.
  [[nodiscard]] const std::optional<http_response>& head() const noexcept {
    return head_;
  }
  [[nodiscard]] const std::string& body() const noexcept { return body_; }

private:
  void finish() {
    over_ = true;
    aborted_ = {};
  }

  io_loop& loop_;
  http_request request_;
  std::optional<http_response> head_;
  std::string body_;
  std::function<void()> aborted_;
  bool over_ = false;
};

} // namespace torpor::test
