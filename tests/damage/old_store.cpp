// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/old_store.hpp"

#include <fmt/format.h>

namespace torpor::test {

namespace {

void fill(life& one, std::uint64_t segments, int& filled) {
  const auto wanted = one.engine().state().next_segment + segments;
  while (one.engine().state().next_segment < wanted)
    one.append(fmt::format("fill/{}", ++filled % 3), {9000, 10});
}

} // namespace

lived_store live_long(std::uint64_t seed, bool closed) {
  life one{seed};
  auto filled = 0;
  one.open();
  one.note("new");
  one.at_once([&] {
    for (const auto* name : {"a", "b", "c", "d", "e"})
      one.append(name, {20, 0, 1, 300});
  });
  one.note("young");
  one.fork("fork of a", "a", 3);
  one.append("fork of a", {40}, producer{"p", 0, 0});
  fill(one, 1, filled);
  one.note("sealed");
  one.truncate("b", 2);
  one.close("c");
  one.append("a", {10, 20});
  fill(one, 1, filled);
  one.crash();
  one.open();
  one.fork("heir", "d", 2);
  one.remove("d"); // It stays for its heir.
  one.remove("e");
  one.append("b", {5});
  fill(one, 2, filled);
  one.note("four segments");
  one.compact();
  one.note("merged");
  fill(one, 2, filled);
  one.append("late", {1, 2, 3});
  one.append("a", {70});
  one.close();
  one.open();
  one.append("a", {71});
  one.append("late", {4});
  if (closed) {
    one.close();
  } else {
    one.idle();
    one.crash();
  }
  return one.take();
}

} // namespace torpor::test
