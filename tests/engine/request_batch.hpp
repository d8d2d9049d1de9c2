// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace torpor::test {

/// The payload of a request's nth entry, which names both: the judge knows
/// whose it is.
[[nodiscard]] std::string payload_of(std::uint64_t tag, std::size_t entry,
                                     std::size_t padding);

/// The request as the engine takes it, tagged.
[[nodiscard]] std::unique_ptr<write_batch>
to_batch(const history::write_request& request, std::uint64_t tag);

/// The request in words, for traces.
[[nodiscard]] std::string describe(const history::write_request& request,
                                   std::uint64_t tag);

} // namespace torpor::test
