// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caf/config_value.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

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
/// The same in ms, or a text for `parse_span`, which knows days.
[[nodiscard]] std::optional<std::uint64_t>
as_span(const caf::config_value& value);

} // namespace torpor
