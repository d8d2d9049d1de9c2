// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/assert.hpp"

#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace torpor::test {

/// A file in memory, which has a path while this lives. Threads: one owner.
class scratch_file {
public:
  explicit scratch_file(std::string_view content)
    : number_{::memfd_create("fuzz", MFD_CLOEXEC)} {
    TORPOR_ASSERT(number_ >= 0);
    TORPOR_ASSERT(::write(number_, content.data(), content.size())
                  == static_cast<ssize_t>(content.size()));
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() { ::close(number_); }

  [[nodiscard]] std::string path() const {
    return "/proc/self/fd/" + std::to_string(number_);
  }

private:
  int number_;
};

} // namespace torpor::test
