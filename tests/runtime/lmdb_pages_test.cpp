// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_pages.hpp"

#include "runtime/lmdb_databases.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <random>
#include <string>

using namespace torpor;

namespace {

/// Updates of everything that LMDB can be asked for here: small and large values,
/// also made shorter, and taken back at once.
class updates {
public:
  explicit updates(const std::string& directory) {
    REQUIRE(lmdb_databases::create(directory));
    databases_ = lmdb_databases::open(directory, lmdb_access::write).value();
  }

  void next() {
    lmdb_transaction transaction{databases_.environment};
    REQUIRE(transaction.begin_write());
    const auto fleeting = up_to(4) == 0;
    const auto keys = up_to(2) == 0 ? 50 : 2'000;
    for (auto left = up_to(up_to(10) == 0 ? 800 : 40); left > 0; --left) {
      const auto number = up_to(keys);
      const auto key = std::string(number % 300, 'k') + std::to_string(number);
      if (up_to(3) == 0)
        REQUIRE(transaction.remove(databases_.names, as_bytes(key)));
      else
        REQUIRE(transaction.put(databases_.names, as_bytes(key),
                                as_bytes(value())));
      if (fleeting)
        REQUIRE(transaction.remove(databases_.names, as_bytes(key)));
    }
    if (up_to(10) != 0)
      REQUIRE(transaction.commit());
  }

private:
  std::uint64_t up_to(std::uint64_t end) { return random_() % end; }

  std::string value() {
    const auto kind = up_to(40);
    return std::string(kind == 0 ? up_to(200'000)
                       : kind < 4 ? up_to(9'000)
                                  : up_to(300),
                       'v');
  }

  std::mt19937_64 random_{7};
  lmdb_databases databases_;
};

} // namespace

TEST_SUITE("lmdb_pages") {
  TEST_CASE("whatever updates leave is sound") {
    const test::scratch_directory scratch;
    updates all{scratch.path()};
    for (int i = 0; i < 300; ++i) {
      all.next();
      for (const auto how : {lmdb_look::end, lmdb_look::free_pages,
                             lmdb_look::all}) {
        const auto sound = check_pages(scratch.path(), how);
        REQUIRE_MESSAGE(sound, i << ": " << sound.error().context);
      }
    }
  }

  TEST_CASE("what is not LMDB's is for LMDB to refuse") {
    const test::scratch_directory scratch;
    for (const std::size_t bytes : {0, 10, 100, 5'000, 100'000}) {
      std::ofstream{scratch.path() + "/data.mdb"} << std::string(bytes, 'x');
      CHECK(check_pages(scratch.path(), lmdb_look::all));
    }
  }
}
