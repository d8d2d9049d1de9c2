// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/io_loop.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor::test {

using fields = std::vector<std::pair<std::string, std::string>>;

/// A request and what became of it. Takes what is written only when told.
class fake_exchange final : public http_exchange {
public:
  fake_exchange(io_loop& loop, boost::beast::http::verb method,
                const std::string& target, const fields& all = {},
                std::string body = {})
    : loop_(loop) {
    request_.method(method);
    request_.target(target);
    for (const auto& [name, value] : all)
      request_.insert(name, value);
    request_.body() = std::move(body);
  }

  http_request& request() override { return request_; }
  void drop_request() override { request_ = {}; }
  std::string peer() const override { return "127.0.0.1"; }
  io_loop& loop() override { return loop_; }
  void respond(http_response given) override {
    REQUIRE_FALSE(over());
    REQUIRE_FALSE(head);
    answer = std::move(given);
    aborted_ = {};
  }
  void begin(http_response given) override {
    REQUIRE_FALSE(over());
    head = std::move(given);
    request_ = {};
  }
  void write(shared_text part, std::string_view tail) override {
    REQUIRE(head);
    REQUIRE_FALSE(ended);
    unsent += part->size() + tail.size();
    text += *part;
    text += tail;
    parts.push_back(std::move(part));
  }
  std::size_t unsent_bytes() const override { return unsent; }
  void on_drained(std::function<void()> then) override {
    drained_ = std::move(then);
    if (unsent == 0)
      loop_.post([this] { drain(); });
  }
  void end() override {
    REQUIRE(head);
    REQUIRE_FALSE(ended);
    ended = true;
    aborted_ = {};
  }
  void on_abort(answer_wait wait, std::function<void()> then) override {
    wait_ = wait;
    aborted_ = std::move(then);
  }

  /// The client takes what was written.
  void drain() {
    unsent = 0;
    if (auto then = std::exchange(drained_, {}))
      then();
  }
  /// The client ends its own side.
  void end_writing() {
    if (wait_ == answer_wait::endless)
      abort();
  }
  /// The client goes away.
  void abort() {
    gone = true;
    if (auto then = std::exchange(aborted_, {}))
      then();
  }
  [[nodiscard]] bool over() const { return answer || ended || gone; }

  [[nodiscard]] unsigned status() const {
    REQUIRE(answer);
    return answer->result_int();
  }
  [[nodiscard]] std::string body() const {
    REQUIRE(answer);
    return std::string{text_of(*answer)};
  }
  /// A field of the answer; "-" when it is not there.
  [[nodiscard]] std::string field(const std::string& name) const {
    const auto& from = answer ? *answer : head.value();
    const auto found = from.find(name);
    return found == from.end() ? "-" : std::string{found->value()};
  }

  std::optional<http_response> answer;
  std::optional<http_response> head;
  std::string text;
  std::vector<shared_text> parts;
  std::size_t unsent = 0;
  bool ended = false;
  bool gone = false;

private:
  io_loop& loop_;
  http_request request_;
  std::function<void()> drained_;
  std::function<void()> aborted_;
  answer_wait wait_{};
};

} // namespace torpor::test
