// SPDX-License-Identifier: Apache-2.0
#include "server/http_options.hpp"

#include "server/access_control.hpp"
#include "server/tls_context.hpp"

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

#include <string_view>

namespace torpor {

namespace {

using std::chrono::milliseconds;

tl::unexpected<error> refuse(std::string text) {
  return fail(errc::invalid_argument, std::move(text));
}

struct count_range {
  std::string_view name;
  std::uint64_t value;
  std::uint64_t low;
  std::uint64_t high;
};

struct span_range {
  std::string_view name;
  milliseconds value;
  std::int64_t low_ms;
  std::int64_t high_ms;
};

result<void> check(const count_range& each) {
  if (each.value >= each.low && each.value <= each.high)
    return {};
  return refuse(fmt::format("http.{} is {}, expected {} to {}", each.name,
                            each.value, each.low, each.high));
}

result<void> check(const span_range& each) {
  if (each.value.count() >= each.low_ms && each.value.count() <= each.high_ms)
    return {};
  return refuse(fmt::format("http.{} is {} ms, expected {} to {} ms", each.name,
                            each.value.count(), each.low_ms, each.high_ms));
}

result<void> check_address(const std::string& address) {
  boost::system::error_code unknown;
  boost::asio::ip::make_address(address, unknown);
  if (!unknown)
    return {};
  return refuse(fmt::format("http.address is \"{}\", expected an IP address "
                            "such as 127.0.0.1, 0.0.0.0 or ::1",
                            address));
}

} // namespace

bool is_loopback(const std::string& address) {
  namespace ip = boost::asio::ip;
  boost::system::error_code unknown;
  const auto found = ip::make_address(address, unknown);
  if (unknown)
    return false;
  if (found.is_v6() && found.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, found.to_v6()).is_loopback();
  return found.is_loopback();
}

result<void> check_ranges(const http_options& given) {
  constexpr std::uint64_t kib = 1u << 10;
  constexpr std::uint64_t mib = 1u << 20;
  constexpr std::int64_t hour_ms = 3'600'000;
  const count_range counts[] = {
    {"threads", given.threads, 1, 64},
    {"connections-max", given.connections_max, 1, 1'000'000},
    {"header-bytes-max", given.header_bytes_max, kib, 32 * kib},
    {"body-bytes-max", given.body_bytes_max, kib, 16 * mib},
    {"bodies-bytes-max", given.bodies_bytes_max, 32 * mib, mib << 20},
    {"read-bytes-max", given.read_bytes_max, 4 * kib, 16 * mib},
    {"rate-requests", given.rate_requests, 0, 1'000'000'000},
    {"rate-bytes", given.rate_bytes, 0, std::uint64_t{1} << 40},
  };
  const span_range spans[] = {
    {"header-timeout", given.header_timeout, 1, hour_ms},
    {"body-timeout", given.body_timeout, 1, hour_ms},
    {"idle-timeout", given.idle_timeout, 1, hour_ms},
    {"write-timeout", given.write_timeout, 1, hour_ms},
    {"stop-timeout", given.stop_timeout, 0, hour_ms},
    {"long-poll-timeout", given.long_poll_timeout, 10, hour_ms},
    {"sse-lifetime", given.sse_lifetime, 10, 24 * hour_ms},
  };
  for (const auto& each : counts)
    if (auto checked = check(each); !checked)
      return checked;
  for (const auto& each : spans)
    if (auto checked = check(each); !checked)
      return checked;
  return check_address(given.address);
}

result<void> validate(const http_options& given) {
  if (auto checked = check_ranges(given); !checked)
    return checked;
  if (!given.enabled)
    return {};
  if (given.tls_certificate.empty() != given.tls_key.empty())
    return refuse(fmt::format(
      "http.tls-certificate and http.tls-key belong together; set {} too",
      given.tls_key.empty() ? "http.tls-key" : "http.tls-certificate"));
  if (!given.tokens.empty())
    if (const auto read = load_access(given.tokens); !read)
      return refuse(fmt::format("http.tokens: {}", read.error().context));
  if (!given.tls_certificate.empty())
    if (auto opened = open_tls(given.tls_certificate, given.tls_key); !opened)
      return tl::unexpected{std::move(opened).error()};
  if (!is_loopback(given.address) && given.tokens.empty() && !given.insecure)
    return refuse(fmt::format(
      "http.address {} lets other machines in, and nobody asks who they are; "
      "set http.tokens to a file of access tokens, or http.insecure = true if "
      "everybody may read and write everything",
      given.address));
  return {};
}

} // namespace torpor
