// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/damage/life.hpp"
#include "tests/damage/reading.hpp"

#include <memory>
#include <optional>
#include <string>

namespace torpor::test {

/// What came of opening a store and reading all of it.
struct attempt {
  std::optional<error> refused; ///< The opening.
  store_reading found;          ///< If it was not.
  /// What an opening that was refused did to the files; empty: nothing.
  std::string changed;
};

/// Opens the files of a store on a disk of their own, with a catalog that takes
/// no updates, and reads everything.
[[nodiscard]] attempt try_to_read(const options& config,
                                  const std::shared_ptr<catalog>& records,
                                  const store_image& files, access how);

/// The same of a store that is not damaged. Throws.
[[nodiscard]] store_reading must_read(const options& config,
                                      const std::shared_ptr<catalog>& records,
                                      const store_image& files);

/// Whether that is an error that names the file and the byte.
[[nodiscard]] bool names(const error& why, const std::string& path,
                         std::uint64_t offset);

/// Whether damage at that place was told when the store was opened.
[[nodiscard]] bool tells(const store_reading& found, const std::string& path,
                         std::uint64_t offset);

} // namespace torpor::test
