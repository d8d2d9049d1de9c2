// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/server_facts.hpp"

#include <string>

namespace torpor {

/// The facts in Prometheus' text format 0.0.4 (docs/http.md, Metrics).
[[nodiscard]] std::string metrics_text(const server_facts& facts);

} // namespace torpor
