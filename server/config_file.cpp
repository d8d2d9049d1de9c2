// SPDX-License-Identifier: Apache-2.0
#include "server/config_file.hpp"

#include <caf/actor_system_config.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

namespace torpor {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == text.npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The line up to a ';' outside of quotes.
std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"')
      quoted = !quoted;
    else if (line[i] == '\\' && quoted)
      ++i;
    else if (line[i] == ';' && !quoted)
      return line.substr(0, i);
  }
  return line;
}

/// Whether a text is a key, or with `dots` a section's name.
bool is_name(std::string_view text, bool dots) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM"
                                       "NOPQRSTUVWXYZ0123456789-_";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char each) {
    return letters.find(each) != letters.npos || (dots && each == '.');
  });
}

/// The value that a text stands for, as CAF reads it.
std::optional<caf::config_value> parse_value(std::string_view text) {
  if (nests_deeply(text))
    return std::nullopt;
  std::istringstream input{fmt::format("[only]\nvalue = {}\n", text)};
  const auto parsed = caf::actor_system_config::parse_config(input);
  if (!parsed || parsed->size() != 1)
    return std::nullopt;
  const auto* section = caf::get_if<caf::config_value::dictionary>(
    &parsed->begin()->second);
  if (section == nullptr || section->size() != 1)
    return std::nullopt;
  return section->begin()->second;
}

/// Reads line by line.
class config_parser {
public:
  result<void> add(std::string_view line) {
    ++line_;
    if (line.find('\0') != line.npos)
      return refuse("a NUL byte; this is no text file");
    line = trimmed(without_comment(line));
    if (line.empty())
      return {};
    return line.front() == '[' ? add_section(line) : add_entry(line);
  }

  config_text found;

private:
  result<void> add_section(std::string_view line) {
    if (line.back() != ']')
      return refuse(fmt::format("'{}' has no ] at its end", line));
    section_ = trimmed(line.substr(1, line.size() - 2));
    if (!is_name(section_, true))
      return refuse(fmt::format("'{}' is not [section]", line));
    found.sections.emplace_back(section_, line_);
    return note(section_, "section");
  }

  result<void> add_entry(std::string_view line) {
    const auto assign = line.find('=');
    const auto key = trimmed(line.substr(0, assign));
    if (assign == line.npos || !is_name(key, false))
      return refuse(fmt::format("'{}' is not understood; expected [section], "
                                "key = value or ; comment",
                                line));
    const auto text = trimmed(line.substr(assign + 1));
    const auto value = parse_value(text);
    if (!value)
      return refuse(fmt::format("the value of {} is not understood; expected "
                                "a number, a duration such as 5s, true, false "
                                "or a string in double quotes",
                                key));
    found.entries.push_back(
      {section_, std::string{key}, std::string{text}, line_, *value});
    return note(fmt::format("{}.{}", section_, key), "key");
  }

  result<void> note(const std::string& path, std::string_view what) {
    const auto [known, fresh] = lines_.try_emplace(path, line_);
    if (!fresh)
      return refuse(fmt::format("{} '{}' stands on line {} already; keep one "
                                "of them",
                                what, path, known->second));
    return {};
  }

  [[nodiscard]] tl::unexpected<error> refuse(std::string_view why) const {
    return fail(errc::invalid_argument, fmt::format("{}: {}", line_, why));
  }

  std::size_t line_ = 0;
  std::string section_;
  std::map<std::string, std::size_t> lines_;
};

} // namespace

bool nests_deeply(std::string_view text) noexcept {
  constexpr std::ptrdiff_t most = 16;
  return !text.starts_with('"')
         && std::count(text.begin(), text.end(), '[')
                + std::count(text.begin(), text.end(), '{')
              > most;
}

result<config_text> parse_config_text(std::string_view text) {
  config_parser parser;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (auto taken = parser.add(text.substr(0, end)); !taken)
      return tl::unexpected{taken.error()};
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(parser.found);
}

} // namespace torpor
