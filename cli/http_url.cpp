// SPDX-License-Identifier: Apache-2.0
#include "cli/http_url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>

namespace torpor {

namespace {

constexpr std::string_view unreserved
  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

tl::unexpected<error> refuse(std::string_view text, std::string_view why) {
  return fail(errc::invalid_argument,
              fmt::format("the URL '{}' {}; expected http://HOST:PORT, "
                          "https://HOST:PORT or unix:/PATH",
                          text, why));
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, port);
  return read.ec == std::errc{} && read.ptr == end && port > 0;
}

/// A name or an IPv4 address; in brackets an IPv6 address, perhaps with a zone.
bool is_host(std::string_view text, bool bracketed) {
  if (bracketed)
    return text.find(':') != text.npos
           && text.find_first_of("[?#") == text.npos;
  return !text.empty() && text.find_first_of(":?#%[]") == text.npos;
}

/// Takes "host:port", "[::1]:port" or either without a port.
result<http_url> with_authority(http_url url, std::string_view authority) {
  auto colon = authority.rfind(':');
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == authority.npos)
      return refuse(url.text, "has no ] behind its address");
    url.host = authority.substr(1, end - 1);
    colon = end + 1 < authority.size() ? end + 1 : authority.npos;
    if (colon != authority.npos && authority[colon] != ':')
      return refuse(url.text, "has something between ] and the port");
  } else {
    url.host = authority.substr(0, colon);
  }
  url.port = colon != authority.npos ? authority.substr(colon + 1)
             : url.tls               ? "443"
                                     : "80";
  if (!is_host(url.host, authority.starts_with('[')))
    return refuse(url.text, "names no host");
  if (!is_port(url.port))
    return refuse(url.text, "has no port from 1 to 65535");
  return url;
}

} // namespace

std::string http_url::authority() const {
  if (!socket.empty())
    return "localhost";
  return host.find(':') == host.npos ? fmt::format("{}:{}", host, port)
                                     : fmt::format("[{}]:{}", host, port);
}

std::string http_url::stream(std::string_view name) const {
  return fmt::format("{}/v1/stream/{}", base, percent_encoded(name));
}

result<http_url> parse_http_url(std::string_view text) {
  http_url url;
  url.text = text;
  if (std::any_of(text.begin(), text.end(),
                  [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return refuse("", "has a space or a control character");
  if (text.starts_with("unix:")) {
    url.socket = text.substr(5);
    return url.socket.empty() ? refuse(text, "names no socket")
                              : result<http_url>{std::move(url)};
  }
  url.tls = text.starts_with("https://");
  if (!url.tls && !text.starts_with("http://"))
    return refuse(text, "does not begin with http://, https:// or unix:");
  auto rest = text.substr(text.find("//") + 2);
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto authority = rest.substr(0, slash);
  if (authority.find('@') != authority.npos)
    return fail(errc::invalid_argument,
                "a URL with a user or a password is not taken: others would "
                "see it in the list of processes; use TORPOR_TOKEN or "
                "--token-file");
  url.base = rest.substr(slash);
  if (url.base.find_first_of("?#") != url.base.npos)
    return refuse(text, "has a query or a fragment");
  while (url.base.ends_with('/'))
    url.base.pop_back();
  return with_authority(std::move(url), authority);
}

std::string percent_encoded(std::string_view text, bool slashes) {
  std::string out;
  out.reserve(text.size());
  for (const auto each : text)
    if (unreserved.find(each) != unreserved.npos || (slashes && each == '/'))
      out += each;
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}",
                     static_cast<unsigned char>(each));
  return out;
}

} // namespace torpor
