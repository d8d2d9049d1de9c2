// SPDX-License-Identifier: Apache-2.0
#include "cli/line_reader.hpp"

#include "torpor/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace torpor {

namespace {

constexpr std::size_t read_bytes = 256u << 10;

/// "'logs/a.gz' behind line 7".
std::string place(const std::string& path, std::uint64_t line) {
  return fmt::format("'{}' behind line {}", path, line);
}

} // namespace

void line_reader::closer::operator()(gzFile_s* file) const noexcept {
  ::gzclose(file);
}

line_reader::line_reader(std::string path, gzFile_s* file)
  : path_(std::move(path)),
    file_(file),
    buffer_(read_bytes) {}

result<line_reader> line_reader::open(const std::string& path) {
  const auto number = path == "-" ? ::dup(STDIN_FILENO)
                                  : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0)
    return fail_io("open", path, errno);
  struct ::stat status {};
  if (::fstat(number, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(number);
    return fail_io("open", path, EISDIR);
  }
  auto* const file = ::gzdopen(number, "rb");
  if (file == nullptr) {
    ::close(number);
    return fail_io("open", path, ENOMEM);
  }
  ::gzbuffer(file, read_bytes);
  return line_reader{path, file};
}

tl::unexpected<error> line_reader::too_long() const {
  return fail(
    errc::too_large,
    fmt::format("the line in {} has more than {} bytes, the most that "
                "an entry can have",
                place(path_, line_), limits::payload_bytes_max));
}

result<std::optional<std::string_view>> line_reader::take(std::size_t bytes,
                                                          std::size_t newline) {
  if (bytes > limits::payload_bytes_max)
    return too_long();
  const std::string_view line{buffer_.data() + begin_, bytes};
  begin_ += bytes + newline;
  ++line_;
  return line;
}

result<bool> line_reader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ > limits::payload_bytes_max)
    return too_long();
  if (end_ == buffer_.size())
    buffer_.resize(2 * buffer_.size());
  const auto room = std::min<std::size_t>(buffer_.size() - end_, 1u << 30);
  errno = 0;
  const auto got = ::gzread(file_.get(), buffer_.data() + end_,
                            static_cast<unsigned>(room));
  if (got > 0) {
    end_ += static_cast<std::size_t>(got);
    unpacked_ += static_cast<std::uint64_t>(got);
    return true;
  }
  int code = Z_OK;
  ::gzerror(file_.get(), &code);
  if (code == Z_ERRNO || (got < 0 && errno != 0))
    return fail_io("read", path_, errno);
  if (code != Z_OK && code != Z_STREAM_END)
    return fail(errc::corrupt,
                fmt::format("{} is broken gzip: {}", place(path_, line_),
                            code == Z_BUF_ERROR ? "it ends too early"
                                                : "its data is damaged"));
  return false;
}

result<std::optional<std::string_view>> line_reader::next() {
  for (std::size_t tested = 0;;) {
    const auto* const begin = buffer_.data() + begin_;
    const auto bytes = end_ - begin_;
    if (const auto* const newline = static_cast<const char*>(
          std::memchr(begin + tested, '\n', bytes - tested)))
      return take(static_cast<std::size_t>(newline - begin), 1);
    const auto more = fill();
    if (!more)
      return tl::unexpected{more.error()};
    if (!*more)
      break;
    tested = bytes;
  }
  if (begin_ == end_)
    return std::nullopt;
  return take(end_ - begin_, 0);
}

std::uint64_t line_reader::consumed() const {
  const auto offset = ::gzoffset(file_.get()); // -1 for a pipe.
  return offset > 0 ? static_cast<std::uint64_t>(offset) : unpacked_;
}

} // namespace torpor
