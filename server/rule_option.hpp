// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/options.hpp"

#include <caf/config_value.hpp>

#include <map>
#include <string>
#include <string_view>

namespace torpor {

// Retention rules in a configuration: a section of its own for each.

inline constexpr std::string_view rules_key = "retention";

/// Whether a key or section, without "torpor.", is that of a rule:
/// "retention.NAME" or something below it.
[[nodiscard]] bool is_rule(std::string_view key) noexcept;

/// Sets "retention.NAME.FIELD". Errors: invalid_argument, saying what is
/// expected.
[[nodiscard]] result<void>
put_rule(std::map<std::string, retention_rule>& into, std::string_view key,
         const caf::config_value& given);

} // namespace torpor
