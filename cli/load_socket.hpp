// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/http_url.hpp"
#include "torpor/error.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <sys/socket.h>

namespace torpor {

/// A server's address, looked up once.
struct load_address {
  sockaddr_storage where{};
  socklen_t bytes = 0;
};

/// The first address of a server that takes a connection within 5 s.
/// Errors: invalid_argument (https), io_failed: nobody is there.
[[nodiscard]] result<load_address> find_server(const http_url& url);

/// Connects to a Unix socket once and hangs up: 0 or the errno.
[[nodiscard]] int try_connect(const http_url& url);

/// A stream socket that never blocks. Calls return -1 with `errno`, as those of
/// the system do. Threads: one owner.
class load_socket {
public:
  load_socket() = default;
  load_socket(load_socket&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}
  load_socket& operator=(load_socket&&) = delete;
  ~load_socket() { close(); }

  /// Begins to connect; EINPROGRESS: it is writable when that has ended.
  int connect(const load_address& to);
  /// How it ended: 0 or its errno.
  [[nodiscard]] int connect_error() const;
  /// Sends what two texts have from `from` on.
  ssize_t send(std::string_view head, std::string_view body, std::size_t from);
  ssize_t receive(std::span<char> into);
  void close() noexcept;

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] bool open() const noexcept { return number_ >= 0; }

private:
  int number_ = -1;
};

} // namespace torpor
