// SPDX-License-Identifier: Apache-2.0
#include "cli/answer_head.hpp"

#include <algorithm>
#include <charconv>

namespace torpor {

namespace {

constexpr std::string_view line_end = "\r\n";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Of letters only ASCII's count, as in HTTP.
bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  };
  return a.size() == b.size()
         && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) {
              return lower(x) == lower(y);
            });
}

/// Takes a line off the front.
std::string_view next_line(std::string_view& rest) {
  const auto end = std::min(rest.find(line_end), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + line_end.size(), rest.size()));
  return line;
}

/// The value if the line is that header.
std::optional<std::string_view> value_of(std::string_view line,
                                         std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':'
      || !same_letters(line.substr(0, name.size()), name))
    return std::nullopt;
  auto value = line.substr(name.size() + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
    value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
    value.remove_suffix(1);
  return value;
}

tl::unexpected<error> foreign() {
  return fail(errc::invalid_argument,
              "what answers does not speak HTTP/1.1; is this the right port?");
}

/// "HTTP/1.1 204 No Content".
bool read_status(std::string_view line, answer_head& into) {
  constexpr std::string_view version = "HTTP/1.";
  constexpr std::size_t code = version.size() + 2;
  if (!line.starts_with(version) || line.size() < code + 3
      || line[code - 1] != ' ')
    return false;
  for (std::size_t i = code; i < code + 3; ++i) {
    if (!is_digit(line[i]))
      return false;
    into.status = into.status * 10 + static_cast<unsigned>(line[i] - '0');
  }
  into.closes = line[version.size()] == '0';
  return into.status >= 100;
}

} // namespace

result<std::optional<answer_head>> read_answer_head(std::string_view bytes) {
  constexpr std::string_view beginning = "HTTP/1.";
  if (!bytes.starts_with(beginning.substr(0, bytes.size())))
    return foreign();
  const auto end = bytes.find("\r\n\r\n");
  if (end == bytes.npos)
    return std::nullopt;
  answer_head head;
  head.bytes = end + 4;
  auto rest = bytes.substr(0, end);
  if (!read_status(next_line(rest), head))
    return foreign();
  while (!rest.empty()) {
    const auto line = next_line(rest);
    if (const auto length = value_of(line, "content-length")) {
      const auto* const last = length->data() + length->size();
      const auto read = std::from_chars(length->data(), last, head.body);
      head.has_length = read.ec == std::errc{} && read.ptr == last;
      if (!head.has_length)
        return foreign();
    } else if (const auto how = value_of(line, "connection")) {
      head.closes = same_letters(*how, "close");
    }
  }
  return head;
}

std::string_view answer_header(std::string_view head, std::string_view name) {
  next_line(head);
  while (!head.empty())
    if (const auto value = value_of(next_line(head), name))
      return *value;
  return {};
}

} // namespace torpor
