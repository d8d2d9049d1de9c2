// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_name.hpp"

#include "torpor/types.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace torpor {

namespace {

/// A decoded character; 0 bytes when what comes is not UTF-8.
struct character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};

/// Decodes the first character as RFC 3629 has it: no overlong forms, no
/// surrogates, nothing beyond U+10FFFF.
character first_of(std::string_view text) {
  const auto at = [text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const auto lead = at(0);
  if (lead < 0x80)
    return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes)
    return {};
  auto code = lead & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xc0) != 0x80)
      return {};
    code = code << 6 | (at(i) & 0x3f);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least[bytes] || code > 0x10ffff
      || (code >= 0xd800 && code < 0xe000))
    return {};
  return {code, bytes};
}

bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

tl::unexpected<error> refuse(std::string_view name, std::string_view why) {
  return fail(errc::invalid_argument,
              fmt::format("stream name '{}' {}; a name is 1 to {} bytes of "
                          "UTF-8 without control characters",
                          printable(name), why, limits::name_bytes_max));
}

} // namespace

result<void> check_name(std::string_view name) {
  if (name.empty())
    return refuse(name, "is empty");
  if (name.size() > limits::name_bytes_max)
    return refuse(name, fmt::format("has more than {} bytes",
                                    limits::name_bytes_max));
  for (auto rest = name; !rest.empty();) {
    const auto next = first_of(rest);
    if (next.bytes == 0)
      return refuse(name, "is not UTF-8");
    if (is_control(next.code))
      return refuse(name, fmt::format("has the control character U+{:04X}",
                                      next.code));
    rest.remove_prefix(next.bytes);
  }
  return {};
}

std::string printable(std::string_view name) {
  constexpr std::size_t shown_max = 64;
  std::string shown;
  while (!name.empty() && shown.size() < shown_max) {
    const auto next = first_of(name);
    if (next.bytes > 0 && !is_control(next.code)) {
      shown.append(name.substr(0, next.bytes));
      name.remove_prefix(next.bytes);
    } else {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(name[0]));
      name.remove_prefix(1);
    }
  }
  if (!name.empty())
    shown += "...";
  return shown;
}

} // namespace torpor
