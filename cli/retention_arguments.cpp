// SPDX-License-Identifier: Apache-2.0
#include "cli/retention_arguments.hpp"

#include "runtime/quantity.hpp"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <optional>
#include <string>

namespace torpor {

namespace {

using parser = std::optional<std::uint64_t> (*)(std::string_view text);

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, count);
  return read.ec == std::errc{} && read.ptr == end ? std::optional{count}
                                                   : std::nullopt;
}

/// Adds an option for one bound; "none" is none, whatever the rules say.
void add_bound(CLI::App& app, const char* option, std::uint64_t& into,
               parser parse, const char* type, const char* expected,
               const char* text) {
  app
    .add_option_function<std::string>(
      option,
      [=, &into](const std::string& given) {
        const auto bound = given == "none"
                             ? std::optional{retention_policy::unlimited}
                             : parse(given);
        if (!bound || *bound == 0)
          throw CLI::ValidationError{
            option, fmt::format("'{}' is not {}, or none", given, expected)};
        into = *bound;
      },
      text)
    ->type_name(type);
}

} // namespace

void add_retention(CLI::App& app, retention_policy& into) {
  constexpr auto span = "a whole number with ms, s, min, h or d";
  add_bound(app, "--age", into.age_ms, parse_span, "SPAN", span,
            "Entries go when they are older, such as 30d or 12h; none: never");
  add_bound(app, "--bytes", into.bytes, parse_bytes, "BYTES",
            "a whole number, perhaps with KiB, MiB, GiB or TiB",
            "The oldest entries go when there are more, such as 10GiB");
  add_bound(app, "--entries", into.entries, parse_count, "N",
            "a whole number of 1 or more",
            "The oldest entries go when there are more");
  add_bound(app, "--ttl", into.ttl_ms, parse_span, "SPAN", span,
            "The stream goes when nobody wrote or read it for so long");
  app
    .add_option_function<std::string>(
      "--expires-at",
      [&into](const std::string& given) {
        const auto time = parse_time(given);
        if (!time || *time == 0)
          throw CLI::ValidationError{
            "--expires-at",
            fmt::format("'{}' is no time such as 2026-12-31T23:59:59Z", given)};
        into.expires_ms = *time;
      },
      "The stream goes at that time, such as 2026-12-31T23:59:59Z")
    ->type_name("TIME");
}

} // namespace torpor
