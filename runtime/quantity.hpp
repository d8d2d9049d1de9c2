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

/// A time in ms since 1970 from "2026-12-31T23:59:59.5Z", with any number of
/// digits behind the seconds and Z or an offset such as +01:00 (RFC 3339).
/// Finer parts than a ms are dropped. nullopt for anything else, and for times
/// before 1970.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);

} // namespace torpor
