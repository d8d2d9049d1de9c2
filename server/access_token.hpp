// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// SHA-256 of a token. One pass without salt is right for these: a token has
/// 256 random bits, so there is nothing to guess, and who checks one finds it
/// without trying them all. Passwords would need a slow hash.
using token_hash = std::array<std::byte, 32>;

/// A new token: "torpor_" and 64 hex digits, 256 bits from the system.
/// Errors: io_failed.
[[nodiscard]] result<std::string> make_token();

/// SHA-256 of a token, or of anything else.
[[nodiscard]] token_hash sha256(std::string_view text);

/// "sha256:" and 64 hex digits, as it stands in a token file.
[[nodiscard]] std::string to_text(const token_hash& hash);
[[nodiscard]] std::optional<token_hash> parse_token_hash(std::string_view text);

/// Whether both are the same; takes as long wherever they differ.
[[nodiscard]] bool same(const token_hash& a, const token_hash& b) noexcept;

} // namespace torpor
