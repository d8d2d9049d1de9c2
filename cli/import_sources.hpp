// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace torpor {

/// A file to be imported and the stream its lines go to.
struct import_source {
  std::string path; ///< "-" is standard input.
  std::string stream;
  std::uint64_t bytes = 0; ///< Of the file; 0: not known.
};

/// How streams are named after files.
struct import_naming {
  std::optional<std::string> name; ///< Of the stream, for a single file.
  std::string prefix;              ///< In front of every name.
};

/// Gives every file its stream and looks whether it can be read. A relative
/// path is the stream's name; of one that is absolute or has a ".." the last
/// part is; ".gz" is left out. Errors: invalid_argument (a name that is no
/// stream name, two files for one stream), io_failed.
[[nodiscard]] result<std::vector<import_source>>
plan_import(const std::vector<std::string>& paths, const import_naming& naming);

} // namespace torpor
