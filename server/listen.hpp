// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstdint>
#include <string>

namespace torpor {

/// A socket that listens, and closes itself. Threads: one owner.
class listening_socket {
public:
  explicit listening_socket(int number) : number_(number) {}
  listening_socket(listening_socket&& other) noexcept;
  listening_socket& operator=(listening_socket&& other) noexcept;
  ~listening_socket();

  [[nodiscard]] int number() const noexcept { return number_; }
  /// Hands the descriptor over.
  [[nodiscard]] int release() noexcept;

private:
  int number_;
};

/// Listens at an IP address, v4 or v6; "::" takes both. Port 0: any free one.
/// What is accepted sends small writes at once. Errors: invalid_argument: no
/// address; io_failed, naming address and remedy.
[[nodiscard]] result<listening_socket> listen_tcp(const std::string& address,
                                                  std::uint16_t port);

/// The port of a socket of `listen_tcp`.
[[nodiscard]] std::uint16_t port_of(const listening_socket& socket);

/// Errors: invalid_argument: the path is too long for a socket.
[[nodiscard]] result<void> check_socket_path(const std::string& path);

/// The same, and errors of `listen_unix` that can be told without listening.
[[nodiscard]] result<void> check_socket(const std::string& path);

/// Listens at a path; only the user of this process can connect, from the first
/// moment. What a process that ended left there is replaced. Errors:
/// invalid_argument: the path is too long; locked: somebody listens there;
/// already_exists: something else lies there; io_failed.
[[nodiscard]] result<listening_socket> listen_unix(const std::string& path);

} // namespace torpor
