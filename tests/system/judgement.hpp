// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"
#include "torpor/runtime.hpp"

#include <string>

namespace torpor::test {

/// Holds all that an open store has against what was promised. Empty when all
/// is well, else what is wrong.
[[nodiscard]] std::string judge(runtime& store, history& promised);

/// Opens a store twice and judges it each time against the log: recovering
/// again changes nothing. Empty when all is well, else what is wrong.
[[nodiscard]] std::string judge(const std::string& directory,
                                const std::string& log);

} // namespace torpor::test
