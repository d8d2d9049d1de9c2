// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace torpor {

/// From now on SIGINT and SIGTERM do not end the process, but are noted.
void note_interrupts();

/// Whether one came.
[[nodiscard]] bool interrupted() noexcept;

/// Waits, with a look now and then for `interrupted()`. False when it was.
bool wait_for(std::chrono::duration<double> time);

} // namespace torpor
