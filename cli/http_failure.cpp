// SPDX-License-Identifier: Apache-2.0
#include "cli/http_failure.hpp"

#include <fmt/format.h>

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace torpor {

namespace {

struct meaning {
  unsigned status;
  errc code;
  std::string_view remedy;
};

constexpr std::array meanings{
  meaning{400, errc::invalid_argument, ""},
  meaning{401, errc::unauthorized,
          "give a token in TORPOR_TOKEN or with --token-file"},
  meaning{403, errc::forbidden,
          "the token does not allow that: it needs another verb"},
  meaning{404, errc::not_found, ""},
  meaning{409, errc::conflict, ""},
  meaning{410, errc::gone, ""},
  meaning{413, errc::too_large, ""},
  meaning{429, errc::overloaded, "the daemon limits rates; try again later"},
  meaning{503, errc::overloaded, "try again later"},
};

/// What {"error":{"code":"...","message":"..."}} says; anything else says
/// nothing.
struct complaint {
  std::string code;
  std::string message;
};

complaint read_complaint(std::string_view body) {
  simdjson::dom::parser parser;
  const simdjson::padded_string copy{body};
  simdjson::dom::element all;
  complaint found;
  std::string_view text;
  if (parser.parse(copy).get(all) != simdjson::SUCCESS)
    return found;
  if (all.at_pointer("/error/code").get(text) == simdjson::SUCCESS)
    found.code = text;
  if (all.at_pointer("/error/message").get(text) == simdjson::SUCCESS)
    found.message = text;
  return found;
}

/// The code of ours that has this name.
std::optional<errc> code_named(std::string_view name) {
  for (std::uint8_t i = 1; to_string(errc{i}) != "unknown"; ++i)
    if (to_string(errc{i}) == name)
      return errc{i};
  return std::nullopt;
}

} // namespace

error http_failure(std::string_view tried, unsigned status,
                   std::string_view body) {
  const auto* const found
    = std::find_if(meanings.begin(), meanings.end(),
                   [&](const meaning& each) { return each.status == status; });
  const auto known = found != meanings.end();
  auto text = fmt::format("{}: the server answers {}", tried, status);
  const auto said = read_complaint(body);
  if (!said.message.empty())
    text += fmt::format(": {}", said.message);
  const auto meant = known ? found->code : errc::io_failed;
  const auto code = code_named(said.code).value_or(meant);
  if (known && code == meant && !found->remedy.empty())
    text += fmt::format("; {}", found->remedy);
  return {code, std::move(text)};
}

} // namespace torpor
