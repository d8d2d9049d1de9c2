// SPDX-License-Identifier: Apache-2.0
#include "server/stream_cursor.hpp"

#include <doctest/doctest.h>

using namespace torpor;

TEST_CASE("a cursor counts intervals of 20 seconds since 2024-10-09") {
  constexpr std::int64_t begin = 1'728'432'000'000;
  CHECK(cursor_at(0) == 0);
  CHECK(cursor_at(begin + 19'999) == 0);
  CHECK(cursor_at(begin + 20'000) == 1);
  CHECK(cursor_at(begin + 86'400'000) == 4'320);
}

TEST_CASE("a client without a cursor or with an old one gets the current one") {
  CHECK(cursor_after(100, {}, 7) == 100);
  CHECK(cursor_after(100, 99, 7) == 100);
}

TEST_CASE("a client gets a later cursor than it had, by an hour at most") {
  for (const std::uint32_t random : {0u, 1u, 179u, 180u, 4'294'967'295u})
    for (const std::uint64_t client : {100ull, 101ull, 5'000ull}) {
      const auto next = cursor_after(100, client, random);
      CHECK(next > client);
      CHECK(next <= client + 180);
    }
}
