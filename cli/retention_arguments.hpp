// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"

#include <CLI/App.hpp>

namespace torpor {

/// Adds the options that say how long a stream and its entries stay.
void add_retention(CLI::App& app, retention_policy& into);

} // namespace torpor
