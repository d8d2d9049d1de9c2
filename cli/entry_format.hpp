// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"

#include <cstdint>
#include <string>

namespace torpor {

/// How entries are printed.
enum class entry_format : std::uint8_t {
  text,            ///< The payload and a newline.
  json,            ///< One object per line, with sequence, time, properties.
  length_prefixed, ///< u32 little-endian length, then the payload.
};

/// Appends one entry as it is printed.
void print_entry(std::string& into, entry_format format,
                 const entry_view& entry);

} // namespace torpor
