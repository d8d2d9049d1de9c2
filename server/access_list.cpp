// SPDX-License-Identifier: Apache-2.0
#include "server/access_list.hpp"

#include "runtime/stream_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

namespace torpor {

namespace {

constexpr std::array<access_verb, 3> all_verbs{
  access_verb::append, access_verb::read, access_verb::admin};

constexpr std::string_view blank = " \t\r";

/// What lines are ordered by: found by it, two lines can be of two tokens.
std::uint64_t key_of(const token_hash& hash) noexcept {
  std::uint64_t key = 0;
  std::memcpy(&key, hash.data(), sizeof key);
  return key;
}

/// Cuts the next word off a line.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
  const auto word = line.substr(0, line.find_first_of(blank));
  line.remove_prefix(word.size());
  return word;
}

/// No error quotes the line: somebody may have written a token there.
result<access_grant> parse_line(std::string_view line) {
  const auto verbs = parse_verbs(take_word(line));
  if (!verbs)
    return tl::unexpected{verbs.error()};
  auto prefix = parse_prefix(take_word(line));
  if (!prefix)
    return tl::unexpected{prefix.error()};
  const auto hash = parse_token_hash(take_word(line));
  if (!hash)
    return fail(errc::invalid_argument,
                "expected 'VERBS PREFIX sha256:' and 64 hex digits; 'torpor "
                "token' makes such a line");
  if (const auto rest = take_word(line); !rest.empty() && rest[0] != '#')
    return fail(errc::invalid_argument,
                "only a comment that begins with # may follow the hash");
  return access_grant{*hash, *verbs, std::move(*prefix)};
}

/// The token in "Bearer TOKEN"; empty: there is none.
std::string_view bearer(std::string_view header) {
  constexpr std::string_view scheme = "bearer ";
  const auto same_letter = [](char given, char wanted) {
    return (given >= 'A' && given <= 'Z' ? given - 'A' + 'a' : given)
           == wanted;
  };
  if (header.size() <= scheme.size()
      || !std::equal(scheme.begin(), scheme.end(), header.begin(),
                     [&](char wanted, char given) {
                       return same_letter(given, wanted);
                     }))
    return {};
  header.remove_prefix(scheme.size());
  return take_word(header);
}

} // namespace

std::string_view to_string(access_verb verb) noexcept {
  switch (verb) {
    case access_verb::append: return "append";
    case access_verb::read: return "read";
    case access_verb::admin: return "admin";
  }
  return "unknown";
}

std::string to_text(const access_grant& grant) {
  std::string verbs;
  for (const auto verb : all_verbs)
    if (grant.has(verb))
      verbs += fmt::format("{}{}", verbs.empty() ? "" : ",", to_string(verb));
  return fmt::format("{} {} {}", verbs,
                     grant.prefix.empty() ? "*" : grant.prefix,
                     to_text(grant.hash));
}

result<std::uint8_t> parse_verbs(std::string_view text) {
  std::uint8_t verbs = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto word = text.substr(begin, end - begin);
    const auto* const found = std::find_if(all_verbs.begin(), all_verbs.end(),
                                           [word](access_verb verb) {
                                             return to_string(verb) == word;
                                           });
    if (found == all_verbs.end())
      return fail(errc::invalid_argument,
                  "expected verbs: append, read or admin, joined by commas");
    verbs |= static_cast<std::uint8_t>(*found);
    begin = end + 1;
  }
  return verbs;
}

result<std::string> parse_prefix(std::string_view text) {
  if (text == "*")
    return std::string{};
  if (!check_name(text) || text.find_first_of(blank) != text.npos)
    return fail(errc::invalid_argument,
                "expected the beginning of streams' names, without blanks, or "
                "* for all streams");
  return std::string{text};
}

result<access_list> access_list::parse(std::string_view text) {
  access_list list;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto first = line.find_first_not_of(blank);
    if (first == line.npos || line[first] == '#')
      continue;
    auto grant = parse_line(line);
    if (!grant)
      return fail(errc::invalid_argument,
                  fmt::format("{}: {}", number, grant.error().context));
    list.grants_.push_back(std::move(*grant));
  }
  std::sort(list.grants_.begin(), list.grants_.end(),
            [](const access_grant& a, const access_grant& b) {
              return key_of(a.hash) < key_of(b.hash);
            });
  return list;
}

verdict access_list::judge(std::string_view authorization, access_verb verb,
                           std::string_view name) const {
  const auto token = bearer(authorization);
  if (token.empty())
    return verdict::unauthorized;
  const auto hash = sha256(token);
  const auto key = key_of(hash);
  auto best = verdict::unauthorized;
  for (auto at = std::lower_bound(grants_.begin(), grants_.end(), key,
                                  [](const access_grant& a, std::uint64_t k) {
                                    return key_of(a.hash) < k;
                                  });
       at != grants_.end() && key_of(at->hash) == key; ++at) {
    if (!same(at->hash, hash))
      continue;
    if (!name.starts_with(at->prefix))
      best = best == verdict::unauthorized ? verdict::hidden : best;
    else if (at->has(verb))
      return verdict::allowed;
    else
      best = verdict::forbidden;
  }
  return best;
}

} // namespace torpor
