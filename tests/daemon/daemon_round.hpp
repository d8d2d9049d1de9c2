// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace torpor::test {

/// The lives of one store: a daemon serves it to clients until it is killed, and
/// the next one goes on. The last one is told to stop.
struct daemon_plan {
  std::string torpord; ///< The program.
  std::string torpor;  ///< The tool.
  std::uint64_t seed = 1;
  unsigned kills = 8;
  unsigned writers = 6;
};

/// What a round found.
struct daemon_end {
  std::string wrong; ///< Empty: nothing was lost.
  std::uint64_t kills = 0;
  std::uint64_t requests = 0; ///< That change something.
};

/// Plays a round in `directory`, which is made and stays.
/// Threads: the caller is the only one of its process.
[[nodiscard]] daemon_end play(const daemon_plan& plan,
                              const std::string& directory);

} // namespace torpor::test
