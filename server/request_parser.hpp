// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/body_budget.hpp"
#include "server/http_exchange.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstdint>
#include <string_view>

namespace torpor {

/// Why a request is not handed to the handler. Its connection is closed. All
/// there are have static storage.
struct http_refusal {
  boost::beast::http::status status{};
  std::string_view code;
  std::string_view message;
  unsigned retry_after_s = 0; ///< 0: it is no use.
};

/// Beast's parser, filling an `http_request`. Checks what it leaves open: the
/// method is known, there is one Host, the body's coding is understood, and the
/// header has few fields. Memory for a body grows with what has come, whatever
/// its length is said to be. Trailers are read over: they must not pass for
/// header fields. Stops behind the header, unless it is told to be eager.
/// Threads: one owner.
class request_parser final : public boost::beast::http::basic_parser<true> {
public:
  /// The body takes its memory off `bodies`, if there is one.
  request_parser(std::uint32_t header_bytes_max, std::uint64_t body_bytes_max,
                 body_budget* bodies);

  [[nodiscard]] http_request& message() noexcept { return message_; }

  /// Takes what the body has grown by; see `body_share`.
  [[nodiscard]] bool charge_body() noexcept {
    return body_share_.grow_to(message_.body().capacity());
  }

  /// What our own checks found, when `put` failed; else null.
  [[nodiscard]] const http_refusal* refusal() const noexcept {
    return refusal_;
  }

  /// Whether the request line was understood.
  [[nodiscard]] bool has_target() const noexcept { return has_target_; }

  /// Whether the client waits for "100 Continue" until it sends the body.
  [[nodiscard]] bool expects_continue() const noexcept {
    return expects_continue_;
  }

private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb method, string_view text,
                       string_view target, int version,
                       error_code& failure) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field name, string_view text,
                     string_view value, error_code& failure) override;
  void on_header_impl(error_code& failure) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         error_code& failure) override;
  std::size_t on_body_impl(string_view bytes, error_code& failure) override;
  void on_chunk_header_impl(std::uint64_t, string_view,
                            error_code& failure) override;
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes,
                                 error_code& failure) override;
  void on_finish_impl(error_code& failure) override;

  void refuse(const http_refusal& why, error_code& failure);
  void take_authority();
  [[nodiscard]] const http_refusal* judge_header();
  [[nodiscard]] const http_refusal* judge_coding() const;

  http_request message_;
  body_share body_share_;
  const http_refusal* refusal_ = nullptr;
  std::uint32_t fields_ = 0;
  bool has_target_ = false;
  bool has_header_ = false;
  bool expects_continue_ = false;
};

} // namespace torpor
