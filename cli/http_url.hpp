// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <string>
#include <string_view>

namespace torpor {

/// Where an HTTP server listens: "http://host:port/base", "https://..." or
/// "unix:/path/of/a/socket".
struct http_url {
  std::string text;   ///< As it was given, for messages.
  bool tls = false;
  std::string socket; ///< A Unix socket's path; empty: by TCP.
  std::string host;   ///< A name or an address, without brackets.
  std::string port;
  std::string base;   ///< In front of all targets: "" or "/base".

  /// What the header Host says.
  [[nodiscard]] std::string authority() const;
  /// The target of a stream's requests.
  [[nodiscard]] std::string stream(std::string_view name) const;
};

/// Errors: invalid_argument. A password in it is refused, too: it would be
/// seen in the list of processes.
[[nodiscard]] result<http_url> parse_http_url(std::string_view text);

/// Escapes what must not stand in the path or, without `slashes`, in the query
/// of a URL.
[[nodiscard]] std::string percent_encoded(std::string_view text,
                                          bool slashes = true);

} // namespace torpor
