// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace torpor {

/// From now on SIGINT and SIGTERM do not end the process, but are noted.
void note_interrupts();

/// Whether one came.
[[nodiscard]] bool interrupted() noexcept;

} // namespace torpor
