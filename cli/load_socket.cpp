// SPDX-License-Identifier: Apache-2.0
#include "cli/load_socket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

namespace torpor {

namespace {

result<load_address> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(errc::invalid_argument,
                fmt::format("the socket's path '{}' has more than {} bytes",
                            path, sizeof address.sun_path - 1));
  std::copy(path.begin(), path.end(), address.sun_path);
  load_address found;
  found.bytes = sizeof address;
  std::memcpy(&found.where, &address, sizeof address);
  return found;
}

/// All that a name stands for: "localhost" may be ::1 and 127.0.0.1.
result<std::vector<load_address>> look_up(const http_url& url) {
  if (!url.socket.empty())
    return unix_address(url.socket).map([](const load_address& only) {
      return std::vector{only};
    });
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const auto code = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &wanted,
                                  &list);
  if (code != 0)
    return fail(errc::io_failed, fmt::format("look up '{}': {}", url.host,
                                             ::gai_strerror(code)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned{
    list, &::freeaddrinfo};
  std::vector<load_address> found;
  for (const auto* each = list; each != nullptr; each = each->ai_next) {
    auto& added = found.emplace_back();
    added.bytes = each->ai_addrlen;
    std::memcpy(&added.where, each->ai_addr, each->ai_addrlen);
  }
  return found;
}

/// 0, or the errno of a connection that did not come about.
int try_connect(const load_address& to) {
  constexpr int patience_ms = 5000;
  load_socket trial;
  if (trial.connect(to) == 0)
    return 0;
  if (errno != EINPROGRESS)
    return errno;
  pollfd writable{trial.number(), POLLOUT, 0};
  const auto ready = ::poll(&writable, 1, patience_ms);
  return ready > 0 ? trial.connect_error() : ready == 0 ? ETIMEDOUT : errno;
}

} // namespace

result<load_address> find_server(const http_url& url) {
  if (url.tls)
    return fail(errc::invalid_argument,
                fmt::format("'{}': the load generator does not encrypt; name "
                            "the server's plain address or its socket",
                            url.text));
  const auto all = look_up(url);
  if (!all)
    return tl::unexpected{all.error()};
  int code = 0;
  for (const auto& each : *all) {
    code = try_connect(each);
    if (code == 0)
      return each;
  }
  auto failure = fail_io("connect", url.text, code).value();
  failure.context += "; is torpord running?";
  return tl::unexpected{std::move(failure)};
}

int try_connect(const http_url& url) {
  const auto address = unix_address(url.socket);
  return address ? try_connect(*address) : ENAMETOOLONG;
}

int load_socket::connect(const load_address& to) {
  close();
  number_ = ::socket(to.where.ss_family,
                     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (number_ < 0)
    return -1;
  if (to.where.ss_family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(number_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return ::connect(number_, reinterpret_cast<const sockaddr*>(&to.where),
                   to.bytes);
}

int load_socket::connect_error() const {
  int code = 0;
  socklen_t bytes = sizeof code;
  return ::getsockopt(number_, SOL_SOCKET, SO_ERROR, &code, &bytes) == 0
           ? code
           : errno;
}

ssize_t load_socket::send(std::string_view head, std::string_view body,
                          std::size_t from) {
  const auto skipped = std::min(from, head.size());
  head.remove_prefix(skipped);
  body.remove_prefix(from - skipped);
  // The kernel only reads them.
  std::array<iovec, 2> parts{iovec{const_cast<char*>(head.data()), head.size()},
                             iovec{const_cast<char*>(body.data()),
                                   body.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return ::sendmsg(number_, &message, MSG_NOSIGNAL);
}

ssize_t load_socket::receive(std::span<char> into) {
  return ::recv(number_, into.data(), into.size(), 0);
}

void load_socket::close() noexcept {
  if (number_ >= 0)
    ::close(std::exchange(number_, -1));
}

} // namespace torpor
