// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace torpor {

/// A number of bytes: 65536, or "64KiB" with B, KiB, MiB, GiB or TiB. nullopt
/// for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// A span in ms: a whole number with ms, s, min, h or d. nullopt for anything
/// else.
[[nodiscard]] std::optional<std::uint64_t> parse_span(std::string_view text);

} // namespace torpor
