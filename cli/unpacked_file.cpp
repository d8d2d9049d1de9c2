// SPDX-License-Identifier: Apache-2.0
#include "cli/unpacked_file.hpp"

#include "cli/interrupt.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace torpor {

namespace {

constexpr std::size_t read_bytes = 256u << 10;
constexpr unsigned char magic[] = {0x1f, 0x8b};
constexpr int gzip_only = 16 + MAX_WBITS; // As inflateInit2 wants it.

tl::unexpected<error> broken(std::string text) {
  return fail(errc::corrupt, std::move(text));
}

tl::unexpected<error> stopped() {
  return fail(errc::shut_down, "interrupted");
}

/// Waits until there is something to read, or the process is to end: a signal
/// alone does not end a read, and a terminal may be silent for ever.
result<void> wait_for_input(const std::string& path, int number) {
  constexpr int look_every_ms = 100;
  for (pollfd input{number, POLLIN, 0}; !interrupted();) {
    const auto ready = ::poll(&input, 1, look_every_ms);
    if (ready > 0)
      return {};
    if (ready < 0 && errno != EINTR)
      return fail_io("poll", path, errno);
  }
  return stopped();
}

} // namespace

void unpacked_file::inflate_end::operator()(z_stream_s* stream) const noexcept {
  ::inflateEnd(stream);
  delete stream;
}

unpacked_file::unpacked_file(std::string path, int number)
  : path_(std::move(path)),
    number_(number),
    buffer_(read_bytes) {}

unpacked_file::unpacked_file(unpacked_file&& other) noexcept
  : path_(std::move(other.path_)),
    number_(std::exchange(other.number_, -1)),
    buffer_(std::move(other.buffer_)),
    begin_(other.begin_),
    end_(other.end_),
    taken_(other.taken_),
    ended_(other.ended_),
    state_(other.state_),
    inflate_(std::move(other.inflate_)) {}

unpacked_file::~unpacked_file() {
  if (number_ >= 0)
    ::close(number_);
}

result<unpacked_file> unpacked_file::open(const std::string& path) {
  // Not to wait here for whoever writes into a pipe: `read` can be ended.
  const auto number = path == "-" ? ::dup(STDIN_FILENO)
                                  : ::open(path.c_str(),
                                           O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (number < 0)
    return fail_io("open", path, errno);
  unpacked_file opened{path, number};
  struct ::stat status {};
  if (::fstat(number, &status) == 0 && S_ISDIR(status.st_mode))
    return fail_io("open", path, EISDIR);
  return opened;
}

result<bool> unpacked_file::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  while (!ended_) {
    if (auto ready = wait_for_input(path_, number_); !ready)
      return tl::unexpected{ready.error()};
    const auto got = ::read(number_, buffer_.data() + end_,
                            buffer_.size() - end_);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (got < 0)
      return fail_io("read", path_, errno);
    end_ += static_cast<std::size_t>(got);
    taken_ += static_cast<std::uint64_t>(got);
    ended_ = got == 0;
    break;
  }
  return !ended_;
}

result<void> unpacked_file::need(std::size_t bytes) {
  while (end_ - begin_ < bytes) {
    const auto more = fill();
    if (!more)
      return tl::unexpected{more.error()};
    if (!*more)
      break;
  }
  return {};
}

bool unpacked_file::has_magic() const noexcept {
  return end_ - begin_ >= std::size(magic)
         && std::equal(std::begin(magic), std::end(magic),
                       buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
}

result<void> unpacked_file::recognize() {
  return need(std::size(magic)).and_then([&]() -> result<void> {
    if (has_magic())
      return begin_member();
    state_ = state::plain;
    return {};
  });
}

result<void> unpacked_file::begin_member() {
  state_ = state::member;
  if (inflate_ != nullptr) {
    ::inflateReset(inflate_.get());
    return {};
  }
  auto fresh = std::make_unique<z_stream>();
  if (::inflateInit2(fresh.get(), gzip_only) != Z_OK)
    return fail_io("inflateInit2", path_, ENOMEM);
  inflate_.reset(fresh.release());
  return {};
}

result<bool> unpacked_file::leave_member() {
  if (auto read = need(std::size(magic)); !read)
    return tl::unexpected{read.error()};
  if (has_magic())
    return begin_member().map([] { return true; });
  // Zeros up to the end are what tapes and block devices fill up with.
  for (;;) {
    while (begin_ < end_ && buffer_[begin_] == 0)
      ++begin_;
    if (begin_ < end_)
      break;
    const auto more = fill();
    if (!more || !*more)
      return more;
  }
  if (end_ - begin_ == 1 && buffer_[begin_] == magic[0])
    return broken("it ends too early");
  return broken("what follows its compressed data is not gzip");
}

result<std::size_t> unpacked_file::copy(char* into, std::size_t room) {
  if (auto read = need(1); !read)
    return tl::unexpected{read.error()};
  const auto bytes = std::min(room, end_ - begin_);
  std::memcpy(into, buffer_.data() + begin_, bytes);
  begin_ += bytes;
  return bytes;
}

result<std::size_t> unpacked_file::unpack(char* into, std::size_t room) {
  auto& stream = *inflate_;
  stream.next_out = reinterpret_cast<unsigned char*>(into);
  stream.avail_out = static_cast<unsigned>(
    std::min<std::size_t>(room, std::numeric_limits<unsigned>::max()));
  const auto whole = stream.avail_out;
  while (stream.avail_out == whole) {
    if (auto read = need(1); !read)
      return tl::unexpected{read.error()};
    if (begin_ == end_)
      return broken("it ends too early");
    stream.next_in = buffer_.data() + begin_;
    stream.avail_in = static_cast<unsigned>(end_ - begin_);
    const auto code = ::inflate(&stream, Z_NO_FLUSH);
    begin_ = end_ - stream.avail_in;
    if (code == Z_STREAM_END) {
      state_ = state::between;
      break;
    }
    if (code == Z_MEM_ERROR)
      return fail_io("inflate", path_, ENOMEM);
    if (code != Z_OK && code != Z_BUF_ERROR)
      return broken("its data is damaged");
  }
  return std::size_t{whole} - stream.avail_out;
}

result<std::size_t> unpacked_file::read(char* into, std::size_t room) {
  if (interrupted())
    return stopped();
  if (state_ == state::unknown)
    if (auto known = recognize(); !known)
      return tl::unexpected{known.error()};
  if (state_ == state::plain)
    return copy(into, room);
  for (;;) {
    if (state_ == state::between) {
      const auto more = leave_member();
      if (!more)
        return tl::unexpected{more.error()};
      if (!*more)
        return 0;
    }
    const auto got = unpack(into, room);
    if (!got || *got > 0)
      return got;
  }
}

} // namespace torpor
