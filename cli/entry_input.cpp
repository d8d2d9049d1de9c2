// SPDX-License-Identifier: Apache-2.0
#include "cli/entry_input.hpp"

#include "torpor/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <unistd.h>

namespace torpor {

result<std::string> read_standard_input() {
  constexpr std::size_t step = 1u << 20;
  std::string text;
  for (std::size_t used = 0;;) {
    text.resize(used + step);
    const auto got = ::read(STDIN_FILENO, text.data() + used, step);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail_io("read", "standard input", errno);
    used += static_cast<std::size_t>(got);
    if (used > limits::append_bytes_max)
      return fail(errc::too_large,
                  fmt::format("standard input has more than {} bytes, the most "
                              "that one append can have; 'torpor import -' "
                              "takes more",
                              limits::append_bytes_max));
    if (got == 0) {
      text.resize(used);
      return text;
    }
  }
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

result<std::vector<std::string_view>>
split_length_prefixed(std::string_view bytes) {
  constexpr std::size_t prefix = 4;
  std::vector<std::string_view> payloads;
  while (!bytes.empty()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < prefix && i < bytes.size(); ++i)
      length |= std::size_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    if (bytes.size() >= prefix && length > limits::payload_bytes_max)
      return fail(errc::too_large,
                  fmt::format("entry {} claims {} bytes, the limit is {}; "
                              "expected a u32 little-endian length and so many "
                              "bytes",
                              payloads.size(), length,
                              limits::payload_bytes_max));
    if (bytes.size() < prefix || bytes.size() - prefix < length)
      return fail(
        errc::invalid_argument,
        fmt::format("standard input ends inside of entry {}; expected "
                    "a u32 little-endian length and so many bytes",
                    payloads.size()));
    payloads.push_back(bytes.substr(prefix, length));
    bytes.remove_prefix(prefix + length);
  }
  return payloads;
}

} // namespace torpor
