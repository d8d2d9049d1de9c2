// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/config.hpp"

#include <caf/config_value.hpp>

#include <string_view>

namespace torpor {

// Rules by prefix in a configuration: each has a section and a name of its own,
// [torpor.retention.NAME] and [torpor.buffered.NAME].

inline constexpr std::string_view retention_key = "retention";
inline constexpr std::string_view buffered_key = "buffered";

/// Whether a key or section, without "torpor.", is that of a rule:
/// "retention.NAME", "buffered.NAME" or something below it.
[[nodiscard]] bool is_rule(std::string_view key) noexcept;

/// Sets "retention.NAME.FIELD" or "buffered.NAME.FIELD". Errors:
/// invalid_argument, saying what is expected.
[[nodiscard]] result<void> put_rule(daemon_config& into, std::string_view key,
                                    const caf::config_value& given);

/// Every buffered rule has a prefix. Errors: invalid_argument.
[[nodiscard]] result<void> check_buffered(const daemon_config& config);

} // namespace torpor
