// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"

#include <map>
#include <string>

namespace torpor::test {

/// The files of a store at rest: their bytes, by their paths below its
/// directory.
using store_image = std::map<std::string, std::string>;

/// Reads all files but locks, which say nothing of a store. Throws what cannot
/// be read.
[[nodiscard]] store_image take_image(disk& from, const std::string& data_dir);

/// Makes the directory with these files, where none of them is. Throws.
void put_image(const store_image& files, disk& into,
               const std::string& data_dir);

/// What is in one and not, or otherwise, in the other: "'a' is missing". Empty
/// when they are the same.
[[nodiscard]] std::string differences(const store_image& before,
                                      const store_image& after);

} // namespace torpor::test
