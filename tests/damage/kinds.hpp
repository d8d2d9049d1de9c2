// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/damage/case_series.hpp"

namespace torpor::test {

// Each damages one kind of files in all ways there are; false when something
// was wrong, which has been told.

[[nodiscard]] bool damage_journal(const effort& how);
[[nodiscard]] bool damage_segment(const effort& how);
[[nodiscard]] bool damage_catalog(const effort& how);
[[nodiscard]] bool damage_files(const effort& how);

} // namespace torpor::test
