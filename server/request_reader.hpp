// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/body_budget.hpp"
#include "server/request_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace torpor {

/// How large a request may be.
struct request_limits {
  std::uint32_t header_bytes_max = 16u << 10;
  std::uint64_t body_bytes_max = 16u << 20;
  body_budget* bodies = nullptr; ///< Of all connections; null: no bound.
};

/// Makes requests out of the bytes of one connection, one after another.
/// Between requests it holds no memory.
/// Threads: one owner.
class request_reader {
public:
  explicit request_reader(const request_limits& limits) : limits_(limits) {}

  enum class step {
    incomplete, ///< More bytes are needed.
    complete,   ///< `request` is there; the bytes behind it are held.
    refused,    ///< See `refusal`. Nothing more can be read.
  };

  /// Goes on with what is held and these bytes. Not while a request is there.
  [[nodiscard]] step feed(std::string_view bytes);

  /// Keeps bytes for later, behind those that are held already. False when
  /// there are as many as a header may have: no more should be read now.
  bool hold(std::string_view bytes);
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

  /// Whether a request has begun, and whether its header has ended.
  [[nodiscard]] bool started() const noexcept { return parser_ != nullptr; }
  [[nodiscard]] bool in_body() const {
    return parser_ && parser_->is_header_done();
  }

  /// Takes the memory of a body that is coming off what all may have together.
  /// False when that is used up.
  [[nodiscard]] bool charge_body() { return parser_->charge_body(); }

  /// True once, when the client waits for "100 Continue".
  [[nodiscard]] bool take_expectation();

  [[nodiscard]] http_request& request() { return parser_->message(); }
  /// Whether the client wants to go on with the connection.
  [[nodiscard]] bool keep_alive() const { return parser_->keep_alive(); }

  /// Gives the request's memory back; the next one can be read.
  void drop_request() noexcept { parser_.reset(); }

  [[nodiscard]] const http_refusal& refusal() const noexcept {
    return *refusal_;
  }

private:
  step parse(std::string_view bytes, std::size_t& used);
  step parse_header(std::string_view bytes, std::size_t& used);
  step parse_body(std::string_view bytes, std::size_t& used);
  step refuse(const http_refusal& why);
  step refuse(boost::beast::error_code failure, std::string_view bytes);
  void keep(std::string_view rest);

  const request_limits& limits_;
  std::unique_ptr<request_parser> parser_;
  std::string held_;
  const http_refusal* refusal_ = nullptr;
  std::uint32_t header_bytes_ = 0; // Of this request, as far as understood.
  bool expectation_taken_ = false;
};

} // namespace torpor
