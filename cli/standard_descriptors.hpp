// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

#include <fcntl.h>

namespace torpor {

/// Makes a program safe from whoever closed its standard streams: without it
/// a store's file could become descriptor 1 and take what is printed. Writing
/// to a stream that was closed fails; a broken pipe is an error, not the end, and
/// neither is a file that has reached `ulimit -f`.
/// Call it first of all.
inline void hold_standard_descriptors() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // A new descriptor is the lowest free one. Opened for the wrong direction,
  // 0 and 1 refuse what they would be used for.
  constexpr int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int number = 0; number < 3; ++number)
    if (::fcntl(number, F_GETFD) == -1)
      static_cast<void>(::open("/dev/null", modes[number]));
}

} // namespace torpor
