// SPDX-License-Identifier: Apache-2.0
#include "cli/line_reader.hpp"

#include "torpor/types.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace torpor {

namespace {

constexpr std::size_t read_bytes = 256u << 10;

/// "behind line 7".
std::string behind(std::uint64_t line) {
  return line == 0 ? "before the end of line 1"
                   : fmt::format("behind line {}", line);
}

} // namespace

line_reader::line_reader(std::string path, unpacked_file file)
  : path_(std::move(path)),
    file_(std::move(file)),
    buffer_(read_bytes) {}

result<line_reader> line_reader::open(const std::string& path) {
  return unpacked_file::open(path).map([&path](unpacked_file file) {
    return line_reader{path, std::move(file)};
  });
}

tl::unexpected<error> line_reader::broken(const error& why) const {
  return fail(why.code,
              fmt::format("'{}' is broken gzip at byte {}, {}: {}", path_,
                          file_.position(), behind(line_), why.context));
}

tl::unexpected<error> line_reader::too_long() const {
  return fail(
    errc::too_large,
    fmt::format("line {} of '{}' has more than {} bytes, the most that "
                "an entry can have",
                line_ + 1, path_, limits::payload_bytes_max));
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
  const auto got = file_.read(buffer_.data() + end_, buffer_.size() - end_);
  if (!got)
    return got.error().code == errc::corrupt ? broken(got.error())
                                             : tl::unexpected{got.error()};
  end_ += *got;
  return *got > 0;
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

} // namespace torpor
