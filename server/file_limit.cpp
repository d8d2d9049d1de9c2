// SPDX-License-Identifier: Apache-2.0
#include "server/file_limit.hpp"

#include <sys/resource.h>

namespace torpor {

std::uint64_t raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const rlimit raised{files.rlim_max, files.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur
                                                  : files.rlim_cur;
}

} // namespace torpor
