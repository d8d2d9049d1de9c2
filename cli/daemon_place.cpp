// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_place.hpp"

#include "cli/client_token.hpp"
#include "cli/load_socket.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

namespace torpor {

namespace {

/// Where torpord listens if it is not told otherwise.
constexpr std::string_view socket_name = "/torpor.sock";

/// Whether somebody listens there. A daemon that was killed leaves its socket.
result<bool> is_alive(const http_url& url) {
  std::error_code unknown;
  if (!std::filesystem::is_socket(url.socket, unknown))
    return false;
  const auto code = try_connect(url);
  if (code == 0 || code == ECONNREFUSED || code == ENOENT)
    return code == 0;
  return tl::unexpected{fail_io("connect", url.socket, code).value()};
}

result<std::optional<http_url>> url_of(const command_context& given) {
  if (!given.url.empty())
    return parse_http_url(given.url).map([](http_url url) {
      return std::optional{std::move(url)};
    });
  http_url url;
  url.socket = given.data_dir + std::string{socket_name};
  url.text = "unix:" + url.socket;
  return is_alive(url).map([&](bool alive) {
    return alive ? std::optional{url} : std::nullopt;
  });
}

} // namespace

result<std::optional<daemon_place>> find_daemon(const command_context& given) {
  const auto url = url_of(given);
  if (!url)
    return tl::unexpected{url.error()};
  if (!*url)
    return std::nullopt;
  return client_token(given.token_file).map([&](std::string token) {
    return std::optional{
      daemon_place{**url, std::move(token), given.ca_file}};
  });
}

result<void> needs_directory(const command_context& given,
                             std::string_view command) {
  if (given.url.empty())
    return {};
  return fail(errc::invalid_argument,
              fmt::format("'torpor {}' works on a store's directory, not over "
                          "HTTP: stop its torpord, then name the directory "
                          "with --data-dir",
                          command));
}

} // namespace torpor
