// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/io_loop.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace torpor::test {

/// An exchange without a connection: keeps what is answered.
/// Threads: one owner.
class fake_exchange final : public http_exchange {
public:
  fake_exchange(io_loop& loop, boost::beast::http::verb method,
                std::string_view target, std::string sent = {})
    : loop_(loop), request_(method, {target.data(), target.size()}, 11) {
    request_.body() = std::move(sent);
  }

  [[nodiscard]] http_request& request() override { return request_; }
  void drop_request() override { request_ = {}; }
  [[nodiscard]] std::string peer() const override { return "127.0.0.1"; }
  [[nodiscard]] io_loop& loop() override { return loop_; }
  void respond(http_response answer) override {
    head = std::move(answer);
    body = head->body();
    ended = true;
  }
  void begin(http_response answer) override { head = std::move(answer); }
  void write(std::shared_ptr<const std::string> part) override {
    body += *part;
  }
  [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }
  void on_drained(std::function<void()> then) override { then(); }
  void end() override { ended = true; }
  void on_abort(std::function<void()> then) override {
    abort_ = std::move(then);
  }

  /// The client goes away.
  void abort() {
    if (abort_)
      std::exchange(abort_, nullptr)();
  }

  [[nodiscard]] unsigned status() const {
    return head ? head->result_int() : 0;
  }
  [[nodiscard]] std::string header(std::string_view name) const {
    return std::string{(*head)[{name.data(), name.size()}]};
  }

  std::optional<http_response> head; ///< Nullopt: no answer yet.
  std::string body;
  bool ended = false;

private:
  io_loop& loop_;
  http_request request_;
  std::function<void()> abort_;
};

} // namespace torpor::test
