// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace torpor {

/// The number of the 20 s interval since 2024-10-09 that a time falls into:
/// what live answers carry, so that a cache in front of the server does not
/// give the same answer for ever. `unix_ms` before that day counts as 0.
[[nodiscard]] std::uint64_t cursor_at(std::int64_t unix_ms) noexcept;

/// The cursor of an answer: the current one, or one beyond the client's if that
/// is not older, by 1 to 3600 s of intervals, taken from `random`.
[[nodiscard]] std::uint64_t cursor_after(std::uint64_t current,
                                         std::optional<std::uint64_t> client,
                                         std::uint32_t random) noexcept;

/// A cursor that a client sends back; nullopt for what we never gave.
[[nodiscard]] std::optional<std::uint64_t>
parse_cursor(std::string_view text) noexcept;

} // namespace torpor
