// SPDX-License-Identifier: Apache-2.0
#include "server/stream_path.hpp"

#include "runtime/stream_name.hpp"
#include "server/percent.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

/// Whether a client or proxy that tidies paths up would take it for another
/// one.
bool has_dot_segment(std::string_view name) {
  for (;;) {
    const auto end = name.find('/');
    const auto segment = name.substr(0, end);
    if (segment == "." || segment == "..")
      return true;
    if (end == std::string_view::npos)
      return false;
    name.remove_prefix(end + 1);
  }
}

} // namespace

std::string_view path_of(std::string_view target) noexcept {
  return target.substr(0, target.find('?'));
}

result<std::string> stream_name_of(std::string_view path) {
  if (!path.starts_with(stream_root))
    return fail(
      errc::invalid_argument,
      fmt::format("'{}' is not below {}", printable(path), stream_root));
  auto name = percent_decoded(path.substr(stream_root.size()));
  if (!name)
    return fail(
      errc::invalid_argument,
      fmt::format("'{}' has a % without two hexadecimal digits behind "
                  "it; a % itself is written %25",
                  printable(path)));
  if (has_dot_segment(*name))
    return fail(errc::invalid_argument,
                fmt::format("stream name '{}' has a segment '.' or '..'",
                            printable(*name)));
  return check_name(*name).map([&] { return std::move(*name); });
}

bool reserved_name(std::string_view name) noexcept {
  constexpr std::string_view reserved = "__ds";
  return name.substr(0, name.find('/')) == reserved;
}

} // namespace torpor
