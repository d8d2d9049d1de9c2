// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/event_stream.hpp"

#include "cli/load_socket.hpp"
#include "cli/stream_offset_text.hpp"

#include <fmt/format.h>

#include <sstream>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace torpor::test {

namespace {

/// A socket on which calls wait; -1: nobody is there.
int connect_to(const daemon_place& place) {
  const auto address = find_server(place.url);
  if (!address)
    return -1;
  const auto number = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(number, reinterpret_cast<const sockaddr*>(&address->where),
                address->bytes)
      == 0)
    return number;
  ::close(number);
  return -1;
}

} // namespace

/// HTTP/1.0 gets its events without the marks of chunks.
event_stream::event_stream(const daemon_place& place, const std::string& stream,
                           sequence from)
  : number_(connect_to(place)) {
  const auto request = fmt::format(
    "GET {}?offset={}&live=sse HTTP/1.0\r\nHost: {}\r\n\r\n",
    place.url.stream(stream), offset_text(from), place.url.authority());
  if (number_ < 0)
    return;
  ::send(number_, request.data(), request.size(), MSG_NOSIGNAL);
  for (std::size_t end = 0;;) {
    if ((end = text_.find("\r\n\r\n")) != text_.npos) {
      text_.erase(0, end + 4);
      return;
    }
    if (!receive())
      return;
  }
}

event_stream::~event_stream() {
  if (number_ >= 0)
    ::close(number_);
}

bool event_stream::receive() {
  char buffer[16 << 10];
  const auto got = number_ < 0 ? 0 : ::recv(number_, buffer, sizeof buffer, 0);
  if (got > 0)
    text_.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

std::optional<event_stream::event> event_stream::next() {
  std::size_t end = 0;
  while ((end = text_.find("\n\n")) == text_.npos)
    if (!receive())
      return {};
  std::istringstream lines{text_.substr(0, end)};
  text_.erase(0, end + 2);
  event found;
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == line.npos ? std::string{} : line.substr(colon + 1);
    if (value.starts_with(' '))
      value.erase(0, 1);
    (name == "event" ? found.kind : found.data) += value;
  }
  return found;
}

} // namespace torpor::test
