// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/access_token.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// What a token can allow. One bit each.
enum class access_verb : std::uint8_t {
  append = 1, ///< Make streams, write to them, close them.
  read = 2,   ///< Read, follow, list.
  admin = 4,  ///< Delete; with the prefix * the pages about the server.
};

/// "append", "read" or "admin".
[[nodiscard]] std::string_view to_string(access_verb verb) noexcept;

/// What a request may do.
enum class verdict : std::uint8_t {
  allowed,
  unauthorized, ///< No token, or none that is known.
  hidden,       ///< The token says nothing of this stream: it does not exist.
  forbidden,    ///< The token is for this stream, but not for this verb.
};

/// What a line of a token file says.
struct access_grant {
  token_hash hash{};
  std::uint8_t verbs = 0; ///< Bits of access_verb.
  std::string prefix;     ///< Of names; "" (written *) is every stream.

  [[nodiscard]] bool has(access_verb verb) const noexcept {
    return (verbs & static_cast<std::uint8_t>(verb)) != 0;
  }
};

/// A grant as its line, without the end: "append,read acme/ sha256:...".
[[nodiscard]] std::string to_text(const access_grant& grant);

/// Bits of access_verb from "append,read". Errors: invalid_argument.
[[nodiscard]] result<std::uint8_t> parse_verbs(std::string_view text);

/// A prefix from a token file: "*" is "". Errors: invalid_argument.
[[nodiscard]] result<std::string> parse_prefix(std::string_view text);

/// Who may do what. Threads: any; it does not change.
class access_list {
public:
  /// Reads a token file's text. Errors: invalid_argument, which begins with the
  /// number of the first bad line and quotes nothing of it.
  [[nodiscard]] static result<access_list> parse(std::string_view text);

  /// Judges a request by its header Authorization ("Bearer TOKEN"). `name` is
  /// the stream's, decoded; "" with `admin` is the server as a whole. Takes as
  /// long for any token that is not known: it is looked up by its hash, of
  /// which nobody can choose any part, and the rest compared in constant time.
  [[nodiscard]] verdict judge(std::string_view authorization, access_verb verb,
                              std::string_view name) const;

  /// How many lines allow something.
  [[nodiscard]] std::size_t size() const noexcept { return grants_.size(); }

private:
  std::vector<access_grant> grants_; ///< By the first bytes of their hashes.
};

} // namespace torpor
