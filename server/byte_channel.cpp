// SPDX-License-Identifier: Apache-2.0
#include "server/byte_channel.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace torpor {

namespace {

using outcome = byte_channel::outcome;
using progress = byte_channel::progress;

bool would_block(int number) {
  return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

} // namespace

byte_channel::byte_channel(boost::asio::io_context& context, int socket,
                           SSL_CTX* secured)
  : socket_(context) {
  boost::system::error_code failure;
  socket_.assign(socket, failure);
  if (failure) {
    ::close(socket);
    return;
  }
  if (secured != nullptr && !(tls_ = accept_tls(secured, socket)))
    close();
}

progress byte_channel::read(std::span<char> into) {
  if (tls_)
    return read_tls(into);
  const auto got = ::recv(number(), into.data(), into.size(), 0);
  if (got > 0)
    return {outcome::done, static_cast<std::size_t>(got)};
  if (got == 0)
    return {outcome::ended};
  return {would_block(errno) ? outcome::wait_read : outcome::failed};
}

progress byte_channel::write(std::span<const iovec> parts) {
  if (tls_)
    return write_tls(parts);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data()); // It only reads them.
  message.msg_iovlen = parts.size();
  const auto sent = ::sendmsg(number(), &message, MSG_NOSIGNAL);
  if (sent >= 0)
    return {outcome::done, static_cast<std::size_t>(sent)};
  return {would_block(errno) ? outcome::wait_write : outcome::failed};
}

progress byte_channel::read_tls(std::span<char> into) {
  ERR_clear_error();
  std::size_t got = 0;
  if (const int done = SSL_read_ex(tls_.get(), into.data(), into.size(), &got);
      done != 1)
    return tls_outcome(done);
  return {outcome::done, got};
}

// A record for each small part would cost more than to put them together.
progress byte_channel::write_tls(std::span<const iovec> parts) {
  constexpr std::size_t record_max = 16u << 10;
  thread_local std::array<char, record_max> record;
  std::size_t size = 0;
  for (const auto& each : parts) {
    const auto taken = std::min(each.iov_len, record.size() - size);
    std::memcpy(record.data() + size, each.iov_base, taken);
    size += taken;
  }
  ERR_clear_error();
  std::size_t sent = 0;
  if (const int done = SSL_write_ex(tls_.get(), record.data(), size, &sent);
      done != 1)
    return tls_outcome(done);
  return {outcome::done, sent};
}

progress byte_channel::tls_outcome(int returned) {
  switch (SSL_get_error(tls_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return {outcome::wait_read};
    case SSL_ERROR_WANT_WRITE: return {outcome::wait_write};
    case SSL_ERROR_ZERO_RETURN: return {outcome::ended};
    default: break;
  }
  const auto reason = ERR_GET_REASON(ERR_peek_error());
  ERR_clear_error();
  return {reason == SSL_R_HTTP_REQUEST ? outcome::not_tls : outcome::failed};
}

void byte_channel::end_writing() {
  if (tls_)
    SSL_shutdown(tls_.get());
  ERR_clear_error();
  ::shutdown(number(), SHUT_WR);
}

void byte_channel::close() {
  tls_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::string byte_channel::peer() const {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  if (::getpeername(number(), reinterpret_cast<sockaddr*>(&raw), &length) != 0)
    return "gone";
  namespace ip = boost::asio::ip;
  if (raw.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(raw);
    return ip::address_v4{ntohl(v4.sin_addr.s_addr)}.to_string();
  }
  if (raw.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(raw);
    ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    const ip::address_v6 found{bytes};
    return found.is_v4_mapped()
             ? ip::make_address_v4(ip::v4_mapped, found).to_string()
             : found.to_string();
  }
  return "unix";
}

} // namespace torpor
