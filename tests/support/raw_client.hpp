// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace torpor::test {

/// What a server sent for one request.
struct raw_answer {
  int status = 0;
  std::string head; ///< Status line and fields, without the blank line.
  std::string body; ///< Without the marks of chunks.

  [[nodiscard]] bool has(std::string_view line) const {
    return head.find(line) != head.npos;
  }
};

/// A client that says exactly what it is told to. Fails the test when the server
/// says nothing for 10 s.
class raw_client {
public:
  explicit raw_client(std::uint16_t port, int receive_buffer = 0)
    : number_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer != 0)
      ::setsockopt(number_, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                   sizeof receive_buffer);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(reinterpret_cast<const sockaddr*>(&place), sizeof place);
  }
  explicit raw_client(const std::string& path)
    : number_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    std::memcpy(place.sun_path, path.data(), path.size());
    connect(reinterpret_cast<const sockaddr*>(&place), sizeof place);
  }
  raw_client(raw_client&& other) noexcept
    : number_(std::exchange(other.number_, -1)),
      seen_(std::move(other.seen_)) {}
  ~raw_client() { close(); }

  void close() {
    if (number_ >= 0)
      ::close(std::exchange(number_, -1));
  }
  void end_writing() { ::shutdown(number_, SHUT_WR); }
  [[nodiscard]] int number() const { return number_; }

  /// False when the server has reset the connection, which can destroy what it
  /// said and the client did not read yet.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(number_, text.data(), text.size(),
                               MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Takes what is there; all that was taken and not asked for yet.
  std::size_t take_some() {
    REQUIRE(receive());
    return seen_.size();
  }

  /// Up to the server's end; empty also when it resets the connection.
  [[nodiscard]] std::string read_to_end() {
    while (receive()) {
    }
    return std::exchange(seen_, {});
  }

  /// Whether the server has closed, and sent nothing more before.
  [[nodiscard]] bool is_closed() { return read_to_end().empty(); }

  /// Bytes up to and with a mark.
  [[nodiscard]] std::string read_through(std::string_view mark) {
    std::size_t at = 0;
    while ((at = seen_.find(mark)) == seen_.npos)
      if (!receive())
        return std::exchange(seen_, {});
    return cut(at + mark.size());
  }

  /// Reads the next answer; `bodiless` when it is one to HEAD.
  [[nodiscard]] raw_answer read_answer(bool bodiless = false) {
    raw_answer found;
    found.head = read_through("\r\n\r\n");
    if (found.head.size() < 13)
      return found;
    found.status = std::stoi(found.head.substr(9, 3));
    constexpr std::string_view length = "Content-Length: ";
    if (bodiless)
      return found;
    if (found.has("Transfer-Encoding: chunked"))
      found.body = read_chunks();
    else if (const auto at = found.head.find(length); at != std::string::npos)
      found.body = read_bytes(
        std::stoul(found.head.substr(at + length.size())));
    else if (found.has("Connection: close") && found.status != 204)
      found.body = read_to_end();
    return found;
  }

  /// One chunk's bytes; empty at the last one.
  [[nodiscard]] std::string read_chunk() {
    const auto line = read_through("\r\n");
    const auto size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
    const auto chunk = read_bytes(size);
    CHECK(read_bytes(2) == "\r\n");
    return chunk;
  }

private:
  void connect(const sockaddr* place, socklen_t size) {
    const timeval patience{10, 0};
    ::setsockopt(number_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(number_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    REQUIRE(::connect(number_, place, size) == 0);
  }

  bool receive() {
    char buffer[16 << 10];
    const auto got = ::recv(number_, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      FAIL("the server says nothing");
    if (got <= 0)
      return false;
    seen_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  std::string read_bytes(std::size_t count) {
    while (seen_.size() < count && receive()) {
    }
    return cut(std::min(count, seen_.size()));
  }

  std::string read_chunks() {
    std::string all;
    for (std::string chunk; !(chunk = read_chunk()).empty();)
      all += chunk;
    return all;
  }

  std::string cut(std::size_t count) {
    auto front = seen_.substr(0, count);
    seen_.erase(0, count);
    return front;
  }

  int number_;
  std::string seen_;
};

} // namespace torpor::test
