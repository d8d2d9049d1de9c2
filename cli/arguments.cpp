// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include "cli/report.hpp"
#include "runtime/stream_name.hpp"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

namespace torpor {

CLI::Option* add_stream_name(CLI::App& app, std::string& into) {
  return app.add_option("NAME", into, "The stream")
    ->required()
    ->type_name("")
    ->check([](const std::string& name) {
      const auto valid = check_name(name);
      return valid ? std::string{} : valid.error().context;
    });
}

CLI::Validator whole_number(std::uint64_t least) {
  return CLI::Validator{
    [least](const std::string& text) {
      std::uint64_t value = 0;
      const auto* const end = text.data() + text.size();
      const auto read = std::from_chars(text.data(), end, value);
      return read.ec == std::errc{} && read.ptr == end && value >= least
               ? std::string{}
               : fmt::format("'{}' is no whole number of "
                             "{} or more",
                             text, least);
    },
    ""};
}

CLI::Validator name_start() {
  return CLI::Validator{[](const std::string& text) {
                          const auto valid = text.empty() ? result<void>{}
                                                          : check_name(text);
                          return valid ? std::string{} : valid.error().context;
                        },
                        ""};
}

CLI::Validator within(double least, double most) {
  return CLI::Validator{
    [least, most](const std::string& text) {
      double value = 0;
      const auto* const end = text.data() + text.size();
      const auto read = std::from_chars(text.data(), end, value);
      return read.ec == std::errc{} && read.ptr == end && value >= least
                 && value <= most
               ? std::string{}
               : fmt::format("'{}' is no number from {} to {}", text,
                             written(least), written(most));
    },
    ""};
}

std::string written(double number) {
  return number < 1000 ? fmt::format("{}", number) : grouped(number);
}

void refuse_choice(const std::string& option, const std::string& given,
                   const std::vector<std::string>& words) {
  std::string expected;
  for (std::size_t i = 0; i < words.size(); ++i)
    expected += (i == 0                  ? ""
                 : i + 1 == words.size() ? " or "
                                         : ", ")
                + words[i];
  throw CLI::ValidationError{
    fmt::format("{} is '{}', expected {}", option, given, expected)};
}

std::string choice_text(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, "|"));
}

CLI::Option* add_output_format(CLI::App& app, entry_format& into) {
  return add_choice<entry_format>(
    app, "-o,--output", into,
    {{"text", entry_format::text},
     {"json", entry_format::json},
     {"length-prefixed", entry_format::length_prefixed}},
    "text: payloads, one a line; json: one object a line;\n"
    "length-prefixed: u32 little-endian length and payload");
}

} // namespace torpor
