// SPDX-License-Identifier: Apache-2.0
#include "cli/bench.hpp"

#include <CLI/CLI.hpp>

namespace torpor {
void add_pool_bench(CLI::App&, std::function<int()>&) {}
} // namespace torpor
