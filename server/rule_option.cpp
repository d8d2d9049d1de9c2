// SPDX-License-Identifier: Apache-2.0
#include "server/rule_option.hpp"

#include "server/option_value.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace torpor {

namespace {

using value = caf::config_value;

/// A bound of 0 would delete everything, or nothing: it is neither.
bool put(std::uint64_t& into, const std::optional<std::uint64_t>& found) {
  if (found)
    into = *found;
  return found && *found != 0;
}

struct rule_field {
  std::string_view name;
  std::string_view expected;
  bool (*set)(retention_rule& into, const value& given);
};

constexpr std::string_view span_text = "a duration of 1 ms or more such as 12h "
                                       "or \"30d\"";

constexpr rule_field fields[] = {
  {"prefix", "a string in double quotes",
   [](retention_rule& r, const value& v) {
     r.prefix = as_string(v);
     return r.prefix.has_value();
   }},
  {"age", span_text,
   [](retention_rule& r, const value& v) {
     return put(r.keep.age_ms, as_span(v));
   }},
  {"bytes", "bytes, 1 or more, as a whole number or a string such as \"1GiB\"",
   [](retention_rule& r, const value& v) {
     return put(r.keep.bytes, as_bytes(v));
   }},
  {"entries", "a whole number, 1 or more",
   [](retention_rule& r, const value& v) {
     return put(r.keep.entries, as_count(v));
   }},
  {"ttl", span_text,
   [](retention_rule& r, const value& v) {
     return put(r.keep.ttl_ms, as_span(v));
   }},
};

result<void> put_retention(std::map<std::string, retention_rule>& into,
                           const std::string& name, std::string_view field,
                           const value& given) {
  for (const auto& each : fields) {
    if (each.name != field || name.empty())
      continue;
    if (each.set(into[name], given))
      return {};
    return fail(errc::invalid_argument,
                fmt::format("expected {}", each.expected));
  }
  return fail(errc::invalid_argument,
              "no such option; a rule has prefix, age, bytes, entries and ttl");
}

result<void>
put_buffered(std::map<std::string, std::optional<std::string>>& into,
             const std::string& name, std::string_view field,
             const value& given) {
  if (field != "prefix" || name.empty())
    return fail(errc::invalid_argument,
                "no such option; a buffered rule has a prefix");
  if (auto prefix = as_string(given)) {
    into[name] = std::move(prefix);
    return {};
  }
  return fail(errc::invalid_argument,
              "expected a string in double quotes");
}

} // namespace

bool is_rule(std::string_view key) noexcept {
  const auto begins = [key](std::string_view rules) {
    return key.starts_with(rules) && key.size() > rules.size() + 1
           && key[rules.size()] == '.';
  };
  return begins(retention_key) || begins(buffered_key);
}

result<void> put_rule(daemon_config& into, std::string_view key,
                      const caf::config_value& given) {
  const bool retains = key.starts_with(retention_key);
  key.remove_prefix((retains ? retention_key : buffered_key).size() + 1);
  const auto dot = key.rfind('.');
  const std::string name{key.substr(0, dot)};
  const auto field = dot != key.npos ? key.substr(dot + 1) : "";
  if (!retains)
    return put_buffered(into.buffered, name, field, given);
  return put_retention(into.store.retention, name, field, given);
}

result<void> check_buffered(const daemon_config& config) {
  for (const auto& [name, prefix] : config.buffered)
    if (!prefix)
      return fail(errc::invalid_argument,
                  fmt::format("buffered.{}.prefix is missing; \"\" is every "
                              "stream",
                              name));
  return {};
}

} // namespace torpor
