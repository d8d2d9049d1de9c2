// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/entry_format.hpp"

#include <CLI/App.hpp>
#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

#include <cstdint>
#include <string>

namespace torpor {

/// Adds the argument NAME: a stream's name, checked before anything is opened.
CLI::Option* add_stream_name(CLI::App& app, std::string& into);

/// A check for options that take a whole number of at least `least`. The parser
/// by itself takes -1 and 2^64 for unsigned ones.
[[nodiscard]] CLI::Validator whole_number(std::uint64_t least = 0);

/// Adds --output.
CLI::Option* add_output_format(CLI::App& app, entry_format& into);

} // namespace torpor
