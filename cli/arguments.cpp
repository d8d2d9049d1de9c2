// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include "runtime/stream_name.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>

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

CLI::Option* add_output_format(CLI::App& app, entry_format& into) {
  const std::map<std::string, entry_format> formats{
    {"text", entry_format::text},
    {"json", entry_format::json},
    {"length-prefixed", entry_format::length_prefixed}};
  return app
    .add_option("-o,--output", into,
                "text: payloads, one a line; json: one object a line;\n"
                "length-prefixed: u32 little-endian length and payload")
    ->type_name("FORMAT")
    ->transform(CLI::CheckedTransformer(formats).description(""))
    ->option_text("text|json|length-prefixed");
}

} // namespace torpor
