// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/fork.hpp"
#include "tests/engine/history.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace torpor::test {

/// The payload of a request's nth entry, which names both: the judge knows
/// whose it is.
[[nodiscard]] std::string payload_of(std::uint64_t tag, std::size_t entry,
                                     std::size_t padding);

/// What a payload names.
struct origin {
  std::uint64_t tag = 0;
  std::size_t entry = 0;
  bool known = false; ///< It is such a payload.
};
[[nodiscard]] origin origin_of(std::string_view payload);

/// The properties of a request's nth entry: every third request has some.
[[nodiscard]] std::vector<property> properties_of(std::uint64_t tag,
                                                  std::size_t entry);

/// Adds the request as the engine takes it, tagged.
void add(write_batch& batch, const history::write_request& request,
         std::uint64_t tag);

/// A batch of one.
[[nodiscard]] std::unique_ptr<write_batch>
to_batch(const history::write_request& request, std::uint64_t tag);

/// The same for a create that forks.
[[nodiscard]] fork_request to_fork(const history::write_request& request);

/// The request in words, for traces.
[[nodiscard]] std::string describe(const history::write_request& request,
                                   std::uint64_t tag);

} // namespace torpor::test
