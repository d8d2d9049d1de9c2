// SPDX-License-Identifier: Apache-2.0
#include "server/config.hpp"

#include "server/config_file.hpp"
#include "server/listen.hpp"
#include "server/option_row.hpp"
#include "server/option_value.hpp"
#include "server/rule_option.hpp"

#include <caf/expected.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <unistd.h>

namespace torpor {

namespace {

using value = caf::config_value;

constexpr std::string_view level_text = "\"trace\", \"debug\", \"info\", "
                                        "\"warn\", \"error\", \"critical\" or "
                                        "\"off\"";

bool put_level(std::string& into, const std::optional<std::string>& found) {
  constexpr std::string_view levels[] = {"trace", "debug",    "info", "warn",
                                         "error", "critical", "off"};
  return found
         && std::find(std::begin(levels), std::end(levels), *found)
              != std::end(levels)
         && put(into, found);
}

using config = daemon_config;

constexpr option_row store_rows[] = {
  {"data-dir", string_text,
   [](config& c, const value& v) {
     return put(c.store.data_dir, as_string(v));
   }},
  {"log-level", level_text,
   [](config& c, const value& v) {
     return put_level(c.log_level, as_string(v));
   }},
  {"sync.max-delay", span_text,
   [](config& c, const value& v) {
     return put(c.store.sync.max_delay, as_milliseconds(v));
   }},
  {"sync.max-bytes", bytes_text,
   [](config& c, const value& v) {
     return put(c.store.sync.max_bytes, as_bytes(v));
   }},
  {"sync.linger", span_text,
   [](config& c, const value& v) {
     return put(c.store.sync.linger, as_milliseconds(v));
   }},
  {"sync.window", count_text,
   [](config& c, const value& v) {
     return put(c.store.sync.window, as_count(v));
   }},
  {"memory.buffered-bytes-max", bytes_text,
   [](config& c, const value& v) {
     return put(c.store.memory.buffered_bytes_max, as_bytes(v));
   }},
  {"memory.stream-bytes-max", bytes_text,
   [](config& c, const value& v) {
     return put(c.store.memory.stream_bytes_max, as_bytes(v));
   }},
  {"memory.tenant-bytes-max", bytes_text,
   [](config& c, const value& v) {
     return put(c.store.memory.tenant_bytes_max, as_bytes(v));
   }},
  {"memory.record-cache", count_text,
   [](config& c, const value& v) {
     return put(c.store.memory.record_cache, as_count(v));
   }},
  {"journal.file-bytes", bytes_text,
   [](config& c, const value& v) {
     return put(c.store.journal.file_bytes, as_bytes(v));
   }},
  {"journal.idle-mark", span_text,
   [](config& c, const value& v) {
     return put(c.store.journal.idle_mark, as_milliseconds(v));
   }},
  {"segments.compression", count_text,
   [](config& c, const value& v) {
     return put(c.store.segments.compression, as_count(v));
   }},
  {"pool.workers", count_text,
   [](config& c, const value& v) {
     return put(c.store.pool.workers, as_count(v));
   }},
  {"pool.shards", count_text,
   [](config& c, const value& v) {
     return put(c.store.pool.shards, as_count(v));
   }},
  {"pool.readers", count_text,
   [](config& c, const value& v) {
     return put(c.store.pool.readers, as_count(v));
   }},
};

constexpr std::string_view tenants_key = "memory.tenants";

/// Every option, a section's next to each other.
std::vector<option_row> all_rows() {
  std::vector<option_row> all{std::begin(store_rows), std::end(store_rows)};
  const auto http = http_option_rows();
  all.insert(all.end(), http.begin(), http.end());
  return all;
}

const std::vector<option_row> rows = all_rows();

const option_row* find_row(std::string_view key) {
  const auto found = std::find_if(
    rows.begin(), rows.end(),
    [key](const option_row& row) { return row.key == key; });
  return found != rows.end() ? &*found : nullptr;
}

/// The tenant in "memory.tenants.NAME", or nothing.
std::string_view tenant_in(std::string_view key) {
  if (!key.starts_with(tenants_key) || key.size() < tenants_key.size() + 2
      || key[tenants_key.size()] != '.')
    return {};
  return key.substr(tenants_key.size() + 1);
}

/// Whether keys can stand in a section; "torpor.sync" without "torpor.".
bool known_section(std::string_view section) {
  return section == tenants_key
         || (is_rule(section)
             && std::count(section.begin(), section.end(), '.') == 1)
         || std::any_of(rows.begin(), rows.end(),
                        [section](const option_row& row) {
                          return row.key.size() > section.size()
                                 && row.key.starts_with(section)
                                 && row.key[section.size()] == '.';
                        });
}

std::string all_sections() {
  std::string text = "[torpor]";
  for (std::string_view last; const auto& row : rows) {
    const auto section = row.key.substr(
      0, std::min(row.key.find('.'), row.key.size()));
    if (section.size() < row.key.size() && section != last)
      text += fmt::format(", [torpor.{}]", last = section);
  }
  return text
         + fmt::format(", [torpor.{}], [torpor.{}.NAME], [torpor.{}.NAME]",
                       tenants_key, retention_key, buffered_key);
}

/// The keys that can stand beside an unknown one.
std::string keys_beside(std::string_view key) {
  const auto dot = key.rfind('.');
  const auto section = dot == key.npos ? "" : key.substr(0, dot + 1);
  std::string text;
  for (const auto& row : rows)
    if (row.key.starts_with(section)
        && row.key.find('.', section.size()) == row.key.npos)
      text += fmt::format("{}{}", text.empty() ? "" : ", ", row.key);
  return text;
}

tl::unexpected<error> refuse(std::string text) {
  return fail(errc::invalid_argument, std::move(text));
}

/// Errors: invalid_argument: what is expected.
result<void> put_option(daemon_config& into, std::string_view key,
                        const value& given) {
  if (const auto tenant = tenant_in(key); tenant.find('/') != tenant.npos)
    return refuse(fmt::format("tenant '{}' has a '/'; a tenant is what stands "
                              "before the first '/' of a stream's name",
                              tenant));
  else if (!tenant.empty())
    return put(into.store.memory.tenants[std::string{tenant}], as_bytes(given))
             ? result<void>{}
             : refuse(fmt::format("expected {}", bytes_text));
  if (is_rule(key))
    return put_rule(into, key, given);
  const auto* const row = find_row(key);
  if (row == nullptr) {
    const auto known = keys_beside(key);
    return refuse(
      known.empty()
        ? fmt::format("no such option; expected a key of {}", all_sections())
        : fmt::format("no such option; expected one of {}", known));
  }
  if (!row->set(into, given))
    return refuse(fmt::format("expected {}", row->expected));
  return {};
}

result<std::string> read_text(const std::string& path) {
  constexpr std::size_t bytes_max = 1u << 20;
  std::error_code unknown;
  const auto kind = std::filesystem::status(path, unknown);
  if (std::filesystem::is_directory(kind))
    return fail_io("open", path, EISDIR);
  if (std::filesystem::exists(kind) && !std::filesystem::is_regular_file(kind))
    return refuse(fmt::format("'{}' is no regular file; a configuration is a "
                              "text file",
                              path));
  errno = 0;
  std::ifstream input{path, std::ios::binary};
  if (!input)
    return fail_io("open", path, errno);
  std::string text(bytes_max + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (input.bad())
    return fail_io("read", path, errno);
  text.resize(static_cast<std::size_t>(input.gcount()));
  if (text.size() > bytes_max)
    return refuse(fmt::format("'{}' has more than {} bytes, the most that a "
                              "configuration may have",
                              path, bytes_max));
  return text;
}

/// Adds to the range of a number what 0 stands for, which is outside of it.
error mention_zero(std::string_view key, error failure) {
  if (key == "pool.workers")
    failure.context += " (0: chosen by the processors)";
  else if (key == "pool.shards")
    failure.context += " (0: one per worker)";
  return failure;
}

/// The directory of a store is made when it is missing, not what it lies in.
result<void> check_directory(std::string path) {
  if (::access((path + "/.").c_str(), W_OK | X_OK) == 0)
    return {};
  if (errno != ENOENT)
    return fail_io("open", path, errno);
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  const auto parent = std::filesystem::path{path}.parent_path();
  if (::access((parent / ".").c_str(), W_OK | X_OK) == 0)
    return {};
  return fail_io("mkdir", path, errno);
}

/// The key without "torpor."; empty when it stands somewhere else.
std::string_view below_torpor(std::string_view path) {
  constexpr std::string_view root = "torpor.";
  return path.starts_with(root) ? path.substr(root.size()) : std::string_view{};
}

} // namespace

std::vector<std::string_view> option_keys() {
  std::vector<std::string_view> keys;
  for (const auto& row : rows)
    keys.push_back(row.key);
  keys.push_back(tenants_key);
  return keys;
}

result<void> set_option(daemon_config& config, std::string_view key,
                        const caf::config_value& given) {
  // Alone among defaults, so that a range that is left is this option's.
  daemon_config alone;
  return put_option(alone, key, given)
    .and_then([&] {
      for (auto& [name, rule] : alone.store.retention)
        rule.prefix = rule.prefix.value_or(name); // Another key may give it.
      return validate(alone.store).map_error([key](error failure) {
        return mention_zero(key, std::move(failure));
      });
    })
    .and_then([&](const options&) { return check_ranges(alone.http); })
    .and_then([&] { return put_option(config, key, given); });
}

result<void> apply_file(daemon_config& config, const std::string& path) {
  const auto in_file = [&path](std::size_t line, std::string_view why) {
    return refuse(fmt::format("{}:{}: {}", path, line, why));
  };
  const auto text = read_text(path);
  if (!text)
    return tl::unexpected{text.error()};
  const auto parsed = parse_config_text(*text);
  if (!parsed)
    return refuse(fmt::format("{}:{}", path, parsed.error().context));
  for (const auto& [section, line] : parsed->sections)
    if (section != "torpor" && !known_section(below_torpor(section)))
      return in_file(line, fmt::format("unknown section [{}]; expected {}",
                                       section, all_sections()));
  for (const auto& entry : parsed->entries) {
    if (entry.section.empty())
      return in_file(entry.line,
                     fmt::format("key '{}' stands above every section; "
                                 "expected {} first",
                                 entry.key, all_sections()));
    const auto key = fmt::format("{}.{}", entry.section, entry.key);
    if (auto set = set_option(config, below_torpor(key), entry.value); !set)
      return in_file(entry.line,
                     fmt::format("[{}] {} = {}: {}", entry.section, entry.key,
                                 entry.text, set.error().context));
  }
  return {};
}

result<void> apply_argument(daemon_config& config, std::string_view argument) {
  constexpr std::string_view prefix = "--torpor.";
  const auto assign = argument.find('=');
  if (!argument.starts_with(prefix) || assign == argument.npos)
    return refuse(fmt::format("'{}' is not understood; expected "
                              "--torpor.KEY=VALUE",
                              argument));
  const auto key = argument.substr(prefix.size(), assign - prefix.size());
  const std::string text{argument.substr(assign + 1)};
  // A string first: a directory may well be called 5s.
  if (set_option(config, key, value{text}))
    return {};
  const auto typed = nests_deeply(text)
                       ? caf::expected<value>{value{text}}
                       : value::parse({text.data(), text.size()});
  const auto set = set_option(config, key, typed ? *typed : value{text});
  if (!set)
    return refuse(fmt::format("{}: {}", argument, set.error().context));
  return {};
}

std::string socket_path(const daemon_config& config) {
  if (!config.http.enabled || config.http.socket.empty())
    return {};
  return std::filesystem::path{config.store.data_dir} / config.http.socket;
}

result<void> validate(const daemon_config& config) {
  return validate(config.store)
    .and_then([&](const options&) { return validate(config.http); })
    .and_then([&] { return check_buffered(config); })
    .and_then([&] { return check_directory(config.store.data_dir); })
    .and_then([&] { return check_socket_path(socket_path(config)); });
}

} // namespace torpor
