// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/store.hpp"

namespace torpor {

/// Refuses what only looks as if an opening could tidy it up. Errors: corrupt, for
/// a segment that catalog and journal are older than, or for none at all where the
/// catalog lists some.
[[nodiscard]] result<void> check_segments(const store& opened);

/// Removes what other files have, now that the journal was found to go on where
/// the catalog says. Only while nothing is missing: an older copy of the catalog
/// lists what was merged since, and the journal files that were sealed since, and
/// not the segments that these have become. Else the log says what is missing, and
/// `kept_before` what stays. Errors: io_failed.
[[nodiscard]] result<void> remove_useless(store& opened);

} // namespace torpor
