// SPDX-License-Identifier: Apache-2.0
#include "server/content_type.hpp"

#include "runtime/stream_name.hpp"
#include "torpor/types.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

/// What RFC 9110 lets a type and a subtype consist of, in lower case.
bool is_token(std::string_view text) {
  constexpr std::string_view
    allowed = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
  return !text.empty()
         && text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

} // namespace

result<std::string> media_type(std::string_view given) {
  std::string type{trimmed(given.substr(0, given.find(';')))};
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  const auto slash = type.find('/');
  if (slash == std::string::npos || type.size() > limits::content_type_bytes_max
      || !is_token(std::string_view{type}.substr(0, slash))
      || !is_token(std::string_view{type}.substr(slash + 1)))
    return fail(errc::invalid_argument,
                fmt::format("Content-Type '{}' is not understood; expected one "
                            "such as application/json, of at most {} bytes",
                            printable(given), limits::content_type_bytes_max));
  return type;
}

stream_kind kind_of(std::string_view type) noexcept {
  if (type == "application/json")
    return stream_kind::json;
  return type.starts_with("text/") ? stream_kind::text : stream_kind::bytes;
}

} // namespace torpor
