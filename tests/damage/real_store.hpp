// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/damage/life.hpp"
#include "tests/damage/reading.hpp"

#include <functional>
#include <string>

namespace torpor::test {

/// What came of opening a store on a real disk, with LMDB, in a process of its
/// own, and reading all of it.
struct real_end {
  enum kind : char {
    whole = 'w',   ///< All is as it was.
    partly = 'p',  ///< Some streams gave an error that says what is lost.
    refused = 'r', ///< The opening.
    wrong = 'x',   ///< None of that: something was silent.
    died = 'd',    ///< The process.
  } how = wrong;
  std::string text; ///< The error, or what is wrong.
  std::string changed; ///< What the opening did to files that were there.
};

/// Directories for stores, which end with it.
class scratch {
public:
  scratch();
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

/// All files of a store at a moment, with the catalog as LMDB writes it, which
/// is as it was after `updates` updates. Throws.
[[nodiscard]] store_image real_image(const lived_store& lived,
                                     const lived_store::moment& when,
                                     std::size_t updates,
                                     const std::string& directory);

/// Opens a store with these files for writing and holds what it gives against
/// the truth. `prepare` may do more to the directory.
/// Threads: the caller is the only one of its process.
[[nodiscard]] real_end
try_real(const options& config, const store_image& files,
         const store_reading& truth, const std::string& directory,
         const std::function<void(const std::string&)>& prepare = {});

} // namespace torpor::test
