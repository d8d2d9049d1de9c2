// SPDX-License-Identifier: Apache-2.0
// torpor token: makes an access token for torpord.
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "runtime/stream_name.hpp"
#include "server/access_list.hpp"

#include <CLI/Error.hpp>
#include <fmt/format.h>

#include <memory>

namespace torpor {

namespace {

struct token_arguments {
  access_grant grant;
  std::string comment;
};

/// A comment ends with its line.
std::string check_comment(const std::string& text) {
  return text.empty() || check_name(text)
           ? ""
           : "expected up to 512 bytes of UTF-8 in one line";
}

/// The token comes first, alone on its line, so that a script can take it.
result<void> make(const command_context& given, token_arguments wanted) {
  const auto token = make_token();
  if (!token)
    return tl::unexpected{token.error()};
  wanted.grant.hash = sha256(*token);
  auto line = to_text(wanted.grant);
  if (!wanted.comment.empty())
    line += " # " + wanted.comment;
  output out;
  if (given.json) {
    out.line(json_object{}.text("token", *token).text("line", line).str());
    return out.finish();
  }
  out.line(*token);
  out.line(line);
  const auto done = out.finish();
  if (done && !given.quiet)
    fmt::print(stderr,
               "The first line is the token: it is shown this once. Append the "
               "second one to the\nfile that torpord's option http.tokens "
               "names, then send torpord a SIGHUP.\n");
  return done;
}

/// Takes an option apart as a token file would.
template <class T>
std::function<void(const std::string&)>
taken(const char* option, T& into, result<T> (*parse)(std::string_view)) {
  return [option, &into, parse](const std::string& text) {
    const auto parsed = parse(text);
    if (!parsed)
      throw CLI::ValidationError(option, parsed.error().context);
    into = *parsed;
  };
}

} // namespace

void add_token(CLI::App& app, const command_context& given,
               chosen_command& run) {
  auto how = std::make_shared<token_arguments>();
  auto& command = *app.add_subcommand("token",
                                      "Make an access token for torpord");
  command
    .add_option_function<std::string>(
      "--verbs", taken("--verbs", how->grant.verbs, &parse_verbs),
      "What it may do: append, read, admin, joined by commas")
    ->type_name("VERBS")
    ->required();
  command
    .add_option_function<std::string>(
      "--prefix", taken("--prefix", how->grant.prefix, &parse_prefix),
      "For streams whose names begin so; * for all")
    ->type_name("PREFIX")
    ->required();
  command
    .add_option("--comment", how->comment, "Whose it is, for the file")
    ->type_name("TEXT")
    ->check(check_comment);
  command.footer(
    "Prints the token, and behind it the line for the file that torpord's "
    "option\nhttp.tokens names; the file has only the token's hash. Opens no "
    "store.\n"
    "append makes streams, writes and closes; read reads, follows and lists; "
    "admin\ndeletes, and with * shows /metrics and /v1/stats.\n"
    "Examples:\n"
    "  torpor token --verbs append,read --prefix acme/ --comment 'acme, prod'\n"
    "  torpor token --verbs admin --prefix '*'");
  command.callback([how, &given, &run] {
    run = [how, &given] { return conclude(given, make(given, *how)); };
  });
}

} // namespace torpor
