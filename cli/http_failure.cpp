// SPDX-License-Identifier: Apache-2.0
#include "cli/http_failure.hpp"

#include <fmt/format.h>

#include <simdjson.h>

#include <algorithm>
#include <array>

namespace torpor {

namespace {

struct meaning {
  unsigned status;
  errc code;
  std::string_view remedy;
};

constexpr std::array meanings{
  meaning{400, errc::invalid_argument, ""},
  meaning{401, errc::invalid_argument,
          "give a token in TORPOR_TOKEN or with --token-file"},
  meaning{403, errc::invalid_argument,
          "the token does not allow that: it needs another verb"},
  meaning{404, errc::not_found, ""},
  meaning{409, errc::conflict, ""},
  meaning{410, errc::gone, ""},
  meaning{413, errc::too_large,
          "the daemon's option http.body-bytes-max says how much it takes"},
  meaning{429, errc::overloaded, "the daemon limits rates; try again later"},
  meaning{503, errc::overloaded, "try again later"},
};

/// The text of {"error":{"code":"...","message":"..."}}; of anything else
/// nothing.
std::string message_of(std::string_view body) {
  simdjson::dom::parser parser;
  std::string_view text;
  const auto failed = parser.parse(simdjson::padded_string{body})
                        .at_pointer("/error/message")
                        .get(text);
  return failed ? std::string{} : std::string{text};
}

} // namespace

error http_failure(std::string_view tried, unsigned status,
                   std::string_view body) {
  const auto* const found
    = std::find_if(meanings.begin(), meanings.end(),
                   [&](const meaning& each) { return each.status == status; });
  const auto known = found != meanings.end();
  auto text = fmt::format("{}: the server answers {}", tried, status);
  if (const auto message = message_of(body); !message.empty())
    text += fmt::format(": {}", message);
  if (known && !found->remedy.empty())
    text += fmt::format("; {}", found->remedy);
  return {known ? found->code : errc::io_failed, std::move(text)};
}

} // namespace torpor
