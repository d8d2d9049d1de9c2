// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace torpor::test {

/// How a child process ended, and what it had to say.
struct child_end {
  bool killed = false;   ///< By SIGKILL, as planned.
  std::string complaint; ///< Empty: it ended well or was killed as planned.
};

/// Runs a function in a process of its own; what it returns is its complaint.
/// One that crashes, or takes longer than `limit`, gets one. `kill_after`: it is
/// killed when it has run so long.
/// Threads: the caller is the only one of its process.
[[nodiscard]] child_end
in_child(const std::function<std::string()>& run,
         std::optional<std::chrono::microseconds> kill_after = {},
         std::chrono::seconds limit = std::chrono::seconds{60});

} // namespace torpor::test
