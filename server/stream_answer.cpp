// SPDX-License-Identifier: Apache-2.0
#include "server/stream_answer.hpp"

#include "server/http_error.hpp"
#include "server/stream_headers.hpp"
#include "server/stream_offset.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

namespace http = boost::beast::http;

constexpr std::string_view methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS";

http::status status_of(errc code) {
  switch (code) {
    case errc::invalid_argument: return http::status::bad_request;
    case errc::not_found: return http::status::not_found;
    case errc::already_exists:
    case errc::closed:
    case errc::conflict:
    case errc::mismatch: return http::status::conflict;
    case errc::unauthorized: return http::status::unauthorized;
    case errc::fenced:
    case errc::forbidden: return http::status::forbidden;
    case errc::out_of_range:
    case errc::gone: return http::status::gone;
    case errc::too_large: return http::status::payload_too_large;
    case errc::overloaded:
    case errc::io_failed:
    case errc::shut_down: return http::status::service_unavailable;
    case errc::corrupt:
    case errc::locked:
    case errc::incompatible: break;
  }
  return http::status::internal_server_error;
}

} // namespace

http_response answer(http::status status) {
  return http_response{status, 11};
}

void set_field(http_response& in, std::string_view name,
               std::string_view value) {
  in.set(boost::beast::string_view{name.data(), name.size()},
         boost::beast::string_view{value.data(), value.size()});
}

void set_field(http_response& in, std::string_view name, std::uint64_t value) {
  set_field(in, name, fmt::format_int{value}.c_str());
}

void set_place(http_response& in, sequence next, bool closed) {
  set_field(in, field::next_offset, offset_text(next));
  if (closed)
    set_field(in, field::closed, "true");
}

http_response failure_answer(const error& failure, std::string_view stream) {
  if (failure.code == errc::not_found)
    return no_such_stream(stream);
  auto made = error_response(status_of(failure.code), to_string(failure.code),
                             failure.context);
  // Of what failed otherwise nobody knows whether it is there.
  if (failure.code == errc::overloaded)
    made.set(http::field::retry_after, "1");
  return made;
}

http_response not_offered(std::string_view what) {
  return error_response(http::status::not_implemented, "not_implemented", what);
}

http_response preflight_answer() {
  auto made = answer(http::status::no_content);
  made.set(http::field::access_control_allow_methods, std::string{methods});
  made.set(
    http::field::access_control_allow_headers,
    "Accept, Authorization, Content-Type, If-None-Match, Producer-Epoch, "
    "Producer-Id, Producer-Seq, Stream-Closed, Stream-Expires-At, "
    "Stream-Fork-Offset, Stream-Fork-Sub-Offset, Stream-Forked-From, "
    "Stream-Seq, Stream-TTL, Torpor-Ack, Torpor-Expected-Offset");
  made.set(http::field::access_control_max_age, "86400");
  return made;
}

http_response wrong_method(std::string_view method) {
  auto made = error_response(
    http::status::method_not_allowed, "method_not_allowed",
    fmt::format("a stream does not know {}; it knows {}", method, methods));
  made.set(http::field::allow, std::string{methods});
  return made;
}

} // namespace torpor
