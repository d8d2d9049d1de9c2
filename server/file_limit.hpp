// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace torpor {

/// Raises this process's limit of open files as far as it may without asking,
/// and returns it: many systems start with 1,024 and allow far more.
std::uint64_t raise_file_limit();

} // namespace torpor
