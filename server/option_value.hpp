// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caf/config_value.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// A number of bytes: 65536, or "64KiB" with B, KiB, MiB, GiB or TiB. nullopt
/// for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);

// Each takes one kind of value out of a file. nullopt: it is another kind.

[[nodiscard]] std::optional<bool> as_bool(const caf::config_value& value);
[[nodiscard]] std::optional<std::string>
as_string(const caf::config_value& value);
/// A whole number, 0 or more.
[[nodiscard]] std::optional<std::uint64_t>
as_count(const caf::config_value& value);
/// A whole number, or a text for `parse_bytes`.
[[nodiscard]] std::optional<std::uint64_t>
as_bytes(const caf::config_value& value);
/// A duration of whole milliseconds.
[[nodiscard]] std::optional<std::chrono::milliseconds>
as_milliseconds(const caf::config_value& value);

} // namespace torpor
