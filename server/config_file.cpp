// SPDX-License-Identifier: Apache-2.0
#include "server/config_file.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/pec.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace torpor {

namespace {

constexpr std::string_view blanks = " \t";

tl::unexpected<error> refuse(std::size_t line, std::string_view why) {
  return fail(errc::invalid_argument, fmt::format("line {}: {}", line, why));
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == text.npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string join(std::string_view section, std::string_view key) {
  return section.empty() ? std::string{key}
                         : fmt::format("{}.{}", section, key);
}

/// Finds out what stands on which line, before CAF's parser merges it all.
class outline {
public:
  result<void> add(std::string_view line) {
    ++line_;
    line = trimmed(line);
    if (line.starts_with('[')) {
      const auto end = std::min(line.find(']'), line.size());
      section_ = trimmed(line.substr(1, end - 1));
      sections.emplace_back(section_, line_);
      if (auto fresh = note(section_, "section"); !fresh)
        return fresh;
      line = trimmed(line.substr(std::min(end + 1, line.size())));
    }
    const auto key_end = line.find_first_of("={;\"'");
    if (key_end == 0 || key_end == line.npos || line[key_end] == ';')
      return {};
    const auto key = trimmed(line.substr(0, key_end));
    if (trimmed(line.substr(line[key_end] == '=' ? key_end + 1 : key_end))
          .starts_with('{'))
      return refuse(line_, fmt::format("braces are not taken; write a section "
                                       "[{}] instead",
                                       join(section_, key)));
    keys.push_back({section_, std::string{key}, line_, {}});
    return note(join(section_, key), "key");
  }

  std::vector<config_entry> keys; ///< Still without values.
  std::vector<std::pair<std::string, std::size_t>> sections;

private:
  result<void> note(const std::string& path, std::string_view what) {
    const auto [known, fresh] = lines_.try_emplace(path, line_);
    if (!fresh)
      return refuse(line_, fmt::format("{} '{}' stands already on line {}; "
                                       "keep one of them",
                                       what, path, known->second));
    return {};
  }

  std::size_t line_ = 0;
  std::string section_;
  std::map<std::string, std::size_t> lines_;
};

/// Where and why CAF's parser stopped.
error syntax_error(const caf::error& failure) {
  const auto code = static_cast<caf::pec>(failure.code());
  const auto& context = failure.context();
  std::size_t line = 0;
  if (context.match_elements<caf::settings>())
    line = caf::get_or(context.get_as<caf::settings>(0), "line", line);
  // It stands behind the newline then.
  if (code == caf::pec::unexpected_newline && line > 1)
    --line;
  return refuse(line, fmt::format("{}; expected [section], key = value or "
                                  "; comment, with strings in double quotes",
                                  to_string(code)))
    .value();
}

/// The value at a path of nested sections, or null.
const caf::config_value* find_value(const caf::settings& all,
                                    const config_entry& entry) {
  auto* level = &all;
  for (std::string_view rest = entry.section; !rest.empty();) {
    const auto end = std::min(rest.find('.'), rest.size());
    const auto at = level->find(caf::string_view{rest.data(), end});
    if (at == level->end())
      return nullptr;
    level = caf::get_if<caf::settings>(&at->second);
    if (level == nullptr)
      return nullptr;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto at = level->find(entry.key);
  return at != level->end() ? &at->second : nullptr;
}

} // namespace

result<config_text> parse_config_text(std::string text) {
  std::erase(text, '\r');
  if (text.empty() || text.back() != '\n')
    text += '\n'; // Without it CAF takes "5x" for 5 at the end of a file.
  outline seen;
  std::size_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const auto end = text.find('\n', begin);
    const auto whole = std::string_view{text}.substr(begin, end - begin);
    if (whole.find('\0') != whole.npos)
      return refuse(line, "a NUL byte; this is no text file");
    if (auto taken = seen.add(whole); !taken)
      return tl::unexpected{taken.error()};
    begin = end + 1;
  }
  std::istringstream input{text};
  const auto parsed = caf::actor_system_config::parse_config(input);
  if (!parsed)
    return tl::unexpected{syntax_error(parsed.error())};
  for (auto& entry : seen.keys) {
    const auto* value = find_value(*parsed, entry);
    if (value == nullptr)
      return refuse(entry.line, fmt::format("'{}' cannot be understood",
                                            entry.key));
    entry.value = *value;
  }
  return config_text{std::move(seen.keys), std::move(seen.sections)};
}

} // namespace torpor
