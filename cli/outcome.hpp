// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.hpp"
#include "torpor/error.hpp"

namespace torpor {

/// Tells a person, or with `json` a program, on standard error what went
/// wrong.
void print_error(bool json, const error& failure);

/// Tells of something that is wrong although the command goes on.
void print_warning(bool json, const error& found);

/// Tells who asked for a stream that does not exist where the names are.
[[nodiscard]] error name_streams(error failure);

/// The end of every command: prints an error, gives the exit code.
[[nodiscard]] int conclude(const command_context& given,
                           const result<void>& outcome);

} // namespace torpor
