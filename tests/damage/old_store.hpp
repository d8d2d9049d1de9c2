// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/damage/life.hpp"

namespace torpor::test {

/// A store that has seen it all: some openings, sealed and merged segments,
/// journal files that are sealed and others that are not, forks, removals. Its
/// moments are copies of it from its whole life; it ends with a crash, or
/// closed. Stores of other seeds have files of the same names.
[[nodiscard]] lived_store live_long(std::uint64_t seed, bool closed);

} // namespace torpor::test
