// SPDX-License-Identifier: Apache-2.0
#include "server/option_row.hpp"

#include "server/option_value.hpp"

namespace torpor {

namespace {

using config = daemon_config;
using value = caf::config_value;

/// All ports are right, so one that does not fit is of another kind.
bool put_port(std::uint16_t& into, const std::optional<std::uint64_t>& found) {
  return found && *found <= 65535 && put(into, found);
}

constexpr option_row rows[] = {
  {"http.enabled", bool_text,
   [](config& c, const value& v) { return put(c.http.enabled, as_bool(v)); }},
  {"http.address", string_text,
   [](config& c, const value& v) { return put(c.http.address, as_string(v)); }},
  {"http.port", "a whole number, 0 to 65535",
   [](config& c, const value& v) { return put_port(c.http.port, as_count(v)); }},
  {"http.socket", string_text,
   [](config& c, const value& v) { return put(c.http.socket, as_string(v)); }},
  {"http.threads", count_text,
   [](config& c, const value& v) { return put(c.http.threads, as_count(v)); }},
  {"http.connections-max", count_text,
   [](config& c, const value& v) {
     return put(c.http.connections_max, as_count(v));
   }},
  {"http.header-bytes-max", bytes_text,
   [](config& c, const value& v) {
     return put(c.http.header_bytes_max, as_bytes(v));
   }},
  {"http.body-bytes-max", bytes_text,
   [](config& c, const value& v) {
     return put(c.http.body_bytes_max, as_bytes(v));
   }},
  {"http.bodies-bytes-max", bytes_text,
   [](config& c, const value& v) {
     return put(c.http.bodies_bytes_max, as_bytes(v));
   }},
  {"http.read-bytes-max", bytes_text,
   [](config& c, const value& v) {
     return put(c.http.read_bytes_max, as_bytes(v));
   }},
  {"http.header-timeout", span_text,
   [](config& c, const value& v) {
     return put(c.http.header_timeout, as_milliseconds(v));
   }},
  {"http.body-timeout", span_text,
   [](config& c, const value& v) {
     return put(c.http.body_timeout, as_milliseconds(v));
   }},
  {"http.idle-timeout", span_text,
   [](config& c, const value& v) {
     return put(c.http.idle_timeout, as_milliseconds(v));
   }},
  {"http.write-timeout", span_text,
   [](config& c, const value& v) {
     return put(c.http.write_timeout, as_milliseconds(v));
   }},
  {"http.stop-timeout", span_text,
   [](config& c, const value& v) {
     return put(c.http.stop_timeout, as_milliseconds(v));
   }},
  {"http.long-poll-timeout", span_text,
   [](config& c, const value& v) {
     return put(c.http.long_poll_timeout, as_milliseconds(v));
   }},
  {"http.sse-lifetime", span_text,
   [](config& c, const value& v) {
     return put(c.http.sse_lifetime, as_milliseconds(v));
   }},
  {"http.tls-certificate", string_text,
   [](config& c, const value& v) {
     return put(c.http.tls_certificate, as_string(v));
   }},
  {"http.tls-key", string_text,
   [](config& c, const value& v) { return put(c.http.tls_key, as_string(v)); }},
  {"http.tokens", string_text,
   [](config& c, const value& v) { return put(c.http.tokens, as_string(v)); }},
  {"http.insecure", bool_text,
   [](config& c, const value& v) { return put(c.http.insecure, as_bool(v)); }},
  {"http.rate-requests", count_text,
   [](config& c, const value& v) {
     return put(c.http.rate_requests, as_count(v));
   }},
  {"http.rate-bytes", bytes_text,
   [](config& c, const value& v) {
     return put(c.http.rate_bytes, as_bytes(v));
   }},
};

} // namespace

std::span<const option_row> http_option_rows() {
  return rows;
}

} // namespace torpor
