// SPDX-License-Identifier: Apache-2.0
#include "server/request_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cctype>

namespace torpor {

namespace {

namespace http = boost::beast::http;
using http::status;

constexpr http_refusal malformed{status::bad_request, "invalid_argument",
                                 "this is no request of HTTP/1.1"};
constexpr http_refusal is_tls{status::bad_request, "invalid_argument",
                              "this port speaks HTTP without TLS"};
constexpr http_refusal bad_length{
  status::bad_request, "invalid_argument",
  "Content-Length and Transfer-Encoding do not tell the body's length"};
constexpr http_refusal bad_chunk{status::bad_request, "invalid_argument",
                                 "the body's chunks are malformed"};
constexpr http_refusal other_version{
  status::http_version_not_supported, "not_implemented",
  "only HTTP/1.1 and HTTP/1.0 are spoken here"};
constexpr http_refusal long_target{status::uri_too_long, "too_large",
                                   "the request's target is larger than http.header-bytes-max"};
constexpr http_refusal long_header{status::request_header_fields_too_large,
                                   "too_large",
                                   "the request's header is larger than http.header-bytes-max"};
constexpr http_refusal long_body{
  status::payload_too_large, "too_large",
  "the request's body is larger than http.body-bytes-max"};

/// Whether a request line ends in a version, such as "HTTP/2.0".
bool names_version(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find('\r'));
  const auto blank = line.rfind(' ');
  if (blank == line.npos)
    return false;
  const auto version = line.substr(blank + 1);
  return version.size() == 8 && version.starts_with("HTTP/")
         && std::isdigit(static_cast<unsigned char>(version[5]))
         && version[6] == '.'
         && std::isdigit(static_cast<unsigned char>(version[7]));
}

} // namespace

request_reader::step request_reader::feed(std::string_view bytes) {
  if (!held_.empty()) {
    held_.append(bytes);
    bytes = held_;
  }
  if (!parser_) { // Blank lines between requests are no offence.
    bytes.remove_prefix(
      std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
    if (!bytes.empty()) {
      header_bytes_ = 0;
      expectation_taken_ = false;
      parser_ = std::make_unique<request_parser>(limits_.header_bytes_max,
                                                 limits_.body_bytes_max,
                                                 limits_.bodies);
    }
  }
  std::size_t used = 0;
  const auto reached = bytes.empty() ? step::incomplete : parse(bytes, used);
  keep(bytes.substr(used));
  return reached;
}

request_reader::step request_reader::parse(std::string_view bytes,
                                           std::size_t& used) {
  if (!parser_->is_header_done()) {
    const auto reached = parse_header(bytes, used);
    if (reached == step::refused || !parser_->is_header_done())
      return reached;
  }
  if (parser_->is_done())
    return step::complete;
  return used == bytes.size() ? step::incomplete : parse_body(bytes, used);
}

/// Stops behind the header: Beast bounds its first line and the rest of it each
/// for itself, and only what it is given at once.
request_reader::step request_reader::parse_header(std::string_view bytes,
                                                  std::size_t& used) {
  boost::beast::error_code failure;
  used = parser_->put(boost::asio::buffer(bytes), failure);
  if (failure && failure != http::error::need_more)
    return refuse(failure, bytes);
  header_bytes_ += static_cast<std::uint32_t>(used);
  const auto left = parser_->is_header_done() ? 0 : bytes.size() - used;
  if (header_bytes_ + left > limits_.header_bytes_max)
    return refuse(long_header);
  return step::incomplete;
}

request_reader::step request_reader::parse_body(std::string_view bytes,
                                                std::size_t& used) {
  // Beast asserts that the last chunk has so many bytes when it looks at it
  // again, and every chunked body has at least as many left.
  constexpr std::size_t last_chunk_bytes = 5; // "0", CRLF, CRLF.
  if (parser_->chunked() && bytes.size() - used < last_chunk_bytes)
    return step::incomplete;
  boost::beast::error_code failure;
  parser_->eager(true); // Chunk after chunk.
  used += parser_->put(boost::asio::buffer(bytes.substr(used)), failure);
  if (failure && failure != http::error::need_more)
    return refuse(failure, bytes);
  if (parser_->is_done())
    return step::complete;
  if (bytes.size() - used > limits_.header_bytes_max)
    return refuse(bad_chunk); // A chunk's header, or trailers.
  return step::incomplete;
}

/// Keeps the rest, which may be part of what is held.
void request_reader::keep(std::string_view rest) {
  if (rest.empty())
    std::string{}.swap(held_); // Gives its memory back, too.
  else if (held_.empty())
    held_ = rest;
  else
    held_.erase(0, held_.size() - rest.size());
}

bool request_reader::hold(std::string_view bytes) {
  held_.append(bytes);
  return held_.size() < limits_.header_bytes_max;
}

bool request_reader::take_expectation() {
  if (expectation_taken_ || !in_body() || !parser_->expects_continue())
    return false;
  expectation_taken_ = true;
  return parser_->message().body().empty() && held_.empty();
}

request_reader::step request_reader::refuse(const http_refusal& why) {
  refusal_ = &why;
  return step::refused;
}

request_reader::step
request_reader::refuse(boost::beast::error_code failure,
                       std::string_view bytes) {
  using http::error;
  if (parser_->refusal())
    return refuse(*parser_->refusal());
  if (failure == error::header_limit) {
    const bool in_line = !parser_->has_target()
                         && bytes.substr(0, limits_.header_bytes_max).find('\n')
                              == bytes.npos;
    return refuse(in_line ? long_target : long_header);
  }
  if (failure == error::body_limit)
    return refuse(long_body);
  if (failure == error::bad_version && names_version(bytes))
    return refuse(other_version);
  if (failure == error::bad_content_length
      || failure == error::multiple_content_length
      || failure == error::bad_transfer_encoding)
    return refuse(bad_length);
  if (failure == error::bad_chunk || failure == error::bad_chunk_extension)
    return refuse(bad_chunk);
  return refuse(bytes.front() == '\x16' ? is_tls : malformed);
}

} // namespace torpor
