// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory_budget.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace torpor;

TEST_SUITE("memory_budget") {
  TEST_CASE("an account takes bytes up to its limit and not one more") {
    account bytes{100};
    CHECK(bytes.try_charge(60));
    CHECK_FALSE(bytes.try_charge(41));
    CHECK(bytes.used() == 60);
    CHECK(bytes.try_charge(40));
    CHECK_FALSE(bytes.try_charge(1));
    CHECK(bytes.try_charge(0));
    bytes.release(100);
    CHECK(bytes.used() == 0);
    CHECK(bytes.limit() == 100);
  }

  TEST_CASE("a charge that must be is taken over the limit") {
    account bytes{10};
    bytes.charge(25);
    CHECK(bytes.used() == 25);
    CHECK_FALSE(bytes.try_charge(1));
    bytes.release(20);
    CHECK(bytes.try_charge(5));
  }

  TEST_CASE("charges of many threads add up and all come back") {
    account bytes{1u << 30};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&bytes] {
        for (int round = 0; round < 10'000; ++round)
          if (bytes.try_charge(7))
            bytes.release(7);
        bytes.charge(1);
      });
    for (auto& thread : threads)
      thread.join();
    CHECK(bytes.used() == 4);
  }

  TEST_CASE("without shares there are no tenants") {
    memory_budget budget{memory_options{}};
    CHECK(budget.all().limit() == 256u << 20);
    CHECK(budget.tenant("acme/log") == nullptr);
  }

  TEST_CASE("streams with the same first path part share one account") {
    memory_options given;
    given.tenant_bytes_max = 1000;
    memory_budget budget{given};
    auto* acme = budget.tenant("acme/a");
    REQUIRE(acme != nullptr);
    CHECK(acme->limit() == 1000);
    CHECK(budget.tenant("acme/b/c") == acme);
    CHECK(budget.tenant("acme") == acme);
    CHECK(budget.tenant("acm/a") != acme);
    CHECK(budget.tenant("/acme") != acme);
  }

  TEST_CASE("a tenant's own share goes before the common one") {
    memory_options given;
    given.tenant_bytes_max = 1000;
    given.tenants["big"] = 5000;
    memory_budget budget{given};
    CHECK(budget.tenant("big/a")->limit() == 5000);
    CHECK(budget.tenant("small/a")->limit() == 1000);
  }

  TEST_CASE("a share of one tenant leaves all others without") {
    memory_options given;
    given.tenants["small"] = 50;
    memory_budget budget{given};
    REQUIRE(budget.tenant("small/a") != nullptr);
    CHECK(budget.tenant("small/a")->limit() == 50);
    CHECK(budget.tenant("other/a") == nullptr);
  }
}
