// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/damage/real_store.hpp"

#include <fmt/format.h>

#include <map>
#include <string>

namespace torpor::test {

/// Counts how openings ended. Threads: one owner.
class tally {
public:
  void add(real_end::kind how) { ++counts_[how]; }

  void print(const std::string& name) {
    fmt::print("{}: {} as if nothing was, {} refused, {} in part, {} wrong, {} "
               "died\n",
               name, counts_[real_end::whole], counts_[real_end::refused],
               counts_[real_end::partly], counts_[real_end::wrong],
               counts_[real_end::died]);
  }

private:
  std::map<real_end::kind, unsigned> counts_;
};

} // namespace torpor::test
