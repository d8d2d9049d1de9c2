// SPDX-License-Identifier: Apache-2.0
#include "server/listen.hpp"

#include "runtime/assert.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace torpor {

namespace {

constexpr int flags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

// The kernel's own bound, net.core.somaxconn, is 4096 since Linux 5.4.
constexpr int backlog = 4096;

std::string reason(int number) {
  return std::generic_category().message(number);
}

tl::unexpected<error> refuse_tcp(const std::string& address,
                                 std::uint16_t port, int number) {
  const auto remedy
    = number == EADDRINUSE ? "; is torpord running already? Set http.port"
      : number == EADDRNOTAVAIL
        ? "; set http.address to one of this machine"
        : "";
  return fail(errc::io_failed, fmt::format("listen at {} port {}: {}{}", address,
                                           port, reason(number), remedy));
}

/// Where a socket is made before it takes its place.
std::string made_as(const std::string& path, ::pid_t process) {
  return fmt::format("{}.{}", path, process);
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un made{};
  TORPOR_ASSERT(path.size() < sizeof made.sun_path);
  made.sun_family = AF_UNIX;
  std::memcpy(made.sun_path, path.data(), path.size());
  return made;
}

/// Whether a process listens at the path of a socket. Errors: already_exists:
/// it is none.
result<bool> somebody_listens(const std::string& path,
                              const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT)
      return false;
    return fail_io("lstat", path, errno);
  }
  if (!S_ISSOCK(found.st_mode))
    return fail(errc::already_exists,
                fmt::format("http.socket '{}' is there and no socket; remove "
                            "it, or set another path",
                            path));
  const listening_socket probe{::socket(AF_UNIX, flags, 0)};
  if (probe.number() < 0)
    return fail_io("socket", path, errno);
  // A full backlog is somebody, too.
  return ::connect(probe.number(), reinterpret_cast<const sockaddr*>(&address),
                   sizeof address)
           == 0
         || errno != ECONNREFUSED;
}

} // namespace

listening_socket::listening_socket(listening_socket&& other) noexcept
  : number_(other.release()) {}

listening_socket&
listening_socket::operator=(listening_socket&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

listening_socket::~listening_socket() {
  if (number_ >= 0)
    ::close(number_);
}

int listening_socket::release() noexcept {
  return std::exchange(number_, -1);
}

result<listening_socket> listen_tcp(const std::string& address,
                                    std::uint16_t port) {
  namespace ip = boost::asio::ip;
  boost::system::error_code unknown;
  const ip::tcp::endpoint place{ip::make_address(address, unknown), port};
  if (unknown)
    return fail(errc::invalid_argument,
                fmt::format("http.address '{}' is no IP address; expected one "
                            "such as 127.0.0.1, 0.0.0.0 or ::1",
                            address));
  listening_socket made{::socket(place.protocol().family(), flags, 0)};
  const int on = 1;
  const int off = 0;
  if (made.number() < 0
      || ::setsockopt(made.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)
           != 0
      // Accepted sockets inherit it.
      || ::setsockopt(made.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)
           != 0
      || (place.address().is_v6()
          && ::setsockopt(made.number(), IPPROTO_IPV6, IPV6_V6ONLY, &off,
                          sizeof off)
               != 0)
      || ::bind(made.number(), place.data(),
                static_cast<socklen_t>(place.size()))
           != 0
      || ::listen(made.number(), backlog) != 0)
    return refuse_tcp(address, port, errno);
  return made;
}

std::uint16_t port_of(const listening_socket& socket) {
  boost::asio::ip::tcp::endpoint place;
  auto size = static_cast<socklen_t>(place.capacity());
  ::getsockname(socket.number(), place.data(), &size);
  return place.port();
}

result<void> check_socket_path(const std::string& path) {
  constexpr ::pid_t largest = 4'194'304; // Of Linux, in any configuration.
  constexpr auto most = sizeof sockaddr_un{}.sun_path - 1;
  const auto longer = made_as("", largest).size();
  if (path.size() + longer <= most)
    return {};
  return fail(errc::invalid_argument,
              fmt::format("http.socket '{}' has {} bytes, at most {} can be "
                          "used; set it to a shorter path, or to \"\" for none",
                          path, path.size(), most - longer));
}

result<void> check_socket(const std::string& path) {
  if (auto fits = check_socket_path(path); !fits)
    return fits;
  const auto taken = somebody_listens(path, unix_address(path));
  if (!taken)
    return tl::unexpected{taken.error()};
  if (!*taken)
    return {};
  return fail(errc::locked,
              fmt::format("http.socket '{}' is in use by another process; "
                          "stop it, or set another path",
                          path));
}

result<listening_socket> listen_unix(const std::string& path) {
  if (auto free = check_socket(path); !free)
    return tl::unexpected{std::move(free).error()};
  // Made under another name: it is complete when it takes its place, and takes
  // the place of a stale one at once.
  const auto first = made_as(path, ::getpid());
  const auto address = unix_address(first);
  listening_socket made{::socket(AF_UNIX, flags, 0)};
  if (made.number() < 0)
    return fail_io("socket", path, errno);
  ::unlink(first.c_str());
  if (::bind(made.number(), reinterpret_cast<const sockaddr*>(&address),
             sizeof address)
      != 0)
    return fail_io("bind", path, errno);
  // Nobody can connect before it listens.
  if (::chmod(first.c_str(), S_IRUSR | S_IWUSR) != 0
      || ::listen(made.number(), backlog) != 0
      || ::rename(first.c_str(), path.c_str()) != 0) {
    const auto number = errno;
    ::unlink(first.c_str());
    return fail_io("listen at", path, number);
  }
  return made;
}

} // namespace torpor
