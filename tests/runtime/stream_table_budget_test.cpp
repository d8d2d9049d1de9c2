// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_table.hpp"

#include "tests/support/table_fixture.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Cost of an append of one entry to a stream by name.
std::uint64_t cost(std::string_view name, std::size_t payload) {
  return write_batch::cost(1, 1, name.size() + payload);
}

/// What is left of it after a buffered answer.
std::uint64_t kept(std::size_t payload) {
  return payload + 16;
}

} // namespace

TEST_SUITE("stream_table_budget") {
  TEST_CASE_FIXTURE(table_fixture,
                    "memory is held until the commit, not after") {
    start();
    buffered({{}, "a"}, std::string(1000, 'x'));
    CHECK(used() == kept(1000));
    append({{}, "a"}, std::string(500, 'x'));
    CHECK(used() == kept(1000) + cost("a", 500));
    buffered({{}, "a"}, "y");
    commit();
    CHECK(used() == kept(1));
    advance(5000);
    CHECK(used() == kept(1)); // In flight counts as well.
    settle();
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "a full budget refuses and changes nothing") {
    memory.buffered_bytes_max = 10'000;
    start();
    const auto first = append({{}, "a"}, std::string(9000, 'x'));
    const auto before = used();
    const auto known = append({{}, "a"}, std::string(1000, 'x'));
    const auto unknown = append({{}, "b"}, std::string(1000, 'x'));
    CHECK(known->code() == errc::overloaded);
    CHECK(known->says("10000"));
    CHECK(unknown->code() == errc::overloaded);
    CHECK(used() == before);
    CHECK(awake.size() == 1);
    settle();
    CHECK(first->good());
    CHECK(used() == 0);
    CHECK(list() == payloads{"a"});
    CHECK(info({{}, "a"}).next == sequence{1});
    const auto retry = append({{}, "a"}, std::string(1000, 'x'));
    settle();
    CHECK(retry->first() == 1);
  }

  TEST_CASE_FIXTURE(table_fixture, "a full budget is emptied without delay") {
    memory.buffered_bytes_max = 10'000;
    start();
    buffered({{}, "a"}, std::string(4000, 'x'));
    buffered({{}, "b"}, std::string(4000, 'x'));
    CHECK(flights.empty());
    CHECK(buffered({{}, "c"}, std::string(4000, 'x'))->code()
          == errc::overloaded);
    CHECK(flights.size() == 2); // The retry need not wait for max-delay.
    settle();
    CHECK(buffered({{}, "c"}, std::string(4000, 'x'))->good());
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "a full budget is emptied though other syncs are on their "
                    "way") {
    memory.buffered_bytes_max = 10'000;
    start();
    const auto busy = append({{}, "busy"}, "x");
    CHECK(flights.size() == 1);
    buffered({{}, "a"}, std::string(8000, 'x'));
    CHECK(buffered({{}, "c"}, std::string(4000, 'x'))->code()
          == errc::overloaded);
    CHECK(flights.size() == 2);
    settle();
    CHECK(busy->good());
    CHECK(buffered({{}, "c"}, std::string(4000, 'x'))->good());
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "a tenant's full share asks for relief everywhere") {
    memory.tenant_bytes_max = 5000;
    start();
    buffered({{}, "acme/a"}, std::string(4000, 'x'));
    CHECK_FALSE(relief_asked);
    CHECK(buffered({{}, "acme/b"}, std::string(4000, 'x'))->code()
          == errc::overloaded);
    CHECK(relief_asked);
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "an append that is larger than its tenant's share is too "
                    "large, however empty the share is") {
    memory.tenants["acme"] = 5000;
    start();
    CHECK(append({{}, "other/a"}, std::string(6000, 'x'))->done == false);
    const auto fresh = append({{}, "acme/a"}, std::string(6000, 'x'));
    CHECK(fresh->code() == errc::too_large);
    CHECK(fresh->says("share (memory.tenants, memory.tenant-bytes-max) is "
                      "5000"));
    CHECK_FALSE(relief_asked);
    settle();
    CHECK(list() == payloads{"other/a"});
    CHECK(append({{}, "acme/a"}, "x")->done == false);
  }

  TEST_CASE_FIXTURE(table_fixture, "a refused batch is refused as a whole") {
    memory.buffered_bytes_max = 1000;
    start();
    auto batch = std::make_unique<write_batch>();
    for (const auto* name : {"a", "b"}) {
      batch->append({{}, name});
      batch->add(as_bytes(std::string(600, 'x')));
    }
    for (const auto& answer : send(std::move(batch)))
      CHECK(answer->code() == errc::overloaded);
    CHECK(used() == 0);
    CHECK(awake.empty());
  }

  TEST_CASE_FIXTURE(table_fixture, "a queued batch is not charged again") {
    start();
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, "a"});
    batch->add(as_bytes("x"));
    REQUIRE(budget->all().try_charge(batch->memory_bytes()));
    batch->queued(true);
    send(std::move(batch));
    CHECK(used() == cost("a", 1));
    settle();
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(table_fixture, "refusals of all kinds hold no memory") {
    start();
    append({{}, "closed"}, "x");
    control(write_kind::close, {{}, "closed"});
    settle();
    append_options expecting;
    expecting.expected_next = sequence{7};
    append({{}, ""}, "x");
    append({{}, "closed"}, "x");
    append({stream_id{999}, {}}, "x");
    append({{}, "new"}, "x", expecting);
    append_all({{}, "new"}, {});
    create("closed");
    create("");
    create("bad", {.linger_ms = 5000});
    control(write_kind::sync, {});
    control(write_kind::remove, {{}, "none"});
    CHECK(used() == 0);
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "one stream cannot take more than its share") {
    settings.stream_bytes_max = 64u << 10;
    start();
    const std::string payload(30'000, 'x');
    append({{}, "a"}, payload);
    buffered({{}, "a"}, payload); // In flight and buffered count together.
    const auto refused = buffered({{}, "a"}, payload);
    CHECK(refused->code() == errc::overloaded);
    CHECK(refused->says("memory.stream-bytes-max"));
    CHECK(buffered({{}, "b"}, payload)->good());
    settle();
    CHECK(info({{}, "a"}).next == sequence{2});
    CHECK(buffered({{}, "a"}, payload)->good());
  }

  TEST_CASE_FIXTURE(table_fixture, "a stream's full share is due at once") {
    settings.stream_bytes_max = 64u << 10;
    start();
    // Small entries: bookkeeping fills the share, not bytes.
    while (buffered({{}, "a"}, "x")->good())
      REQUIRE(flights.empty());
    CHECK(flights.size() == 1);
    settle();
    CHECK(buffered({{}, "a"}, "x")->good());
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "one tenant cannot take more than its share") {
    memory.tenant_bytes_max = 5000;
    memory.tenants["big"] = 100'000;
    start();
    const std::string payload(2000, 'x');
    buffered({{}, "acme/a"}, payload);
    buffered({{}, "acme/b"}, payload);
    auto* acme = budget->tenant("acme/");
    const auto before = acme->used();
    CHECK(before == 2 * kept(2000));
    const auto refused = buffered({{}, "acme/c"}, payload);
    CHECK(refused->code() == errc::overloaded);
    CHECK(refused->says("tenant"));
    CHECK(buffered({{}, "acme/a"}, payload)->code() == errc::overloaded);
    CHECK(acme->used() == before);
    CHECK(used() == before);
    CHECK(buffered({{}, "other/a"}, payload)->good());
    for (int i = 0; i < 10; ++i)
      CHECK(buffered({{}, "big/a"}, payload)->good());
    advance(5000);
    settle();
    CHECK(used() == 0);
    CHECK(acme->used() == 0);
    CHECK(budget->tenant("big/")->used() == 0);
    // The refused stream was never made.
    CHECK(list("acme/") == payloads{"acme/a", "acme/b"});
    CHECK(buffered({{}, "acme/c"}, payload)->good());
  }

  TEST_CASE_FIXTURE(table_fixture, "a created stream counts for its tenant") {
    memory.tenant_bytes_max = 5000;
    start();
    create("acme/a");
    CHECK(budget->tenant("acme/")->used() > 0);
    settle();
    CHECK(budget->tenant("acme/")->used() == 0);
  }

  TEST_CASE_FIXTURE(table_fixture, "a failure gives all memory back") {
    memory.tenant_bytes_max = 100'000;
    start();
    append({{}, "acme/a"}, "x");
    buffered({{}, "acme/a"}, "y");
    buffered({{}, "acme/b"}, "z");
    create("acme/c");
    fail({errc::io_failed, "broken"});
    settle();
    CHECK(used() == 0);
    CHECK(budget->tenant("acme/")->used() == 0);
    CHECK(awake.empty());
  }

  TEST_CASE_FIXTURE(table_fixture,
                    "whatever happens, all memory comes back in the end") {
    memory.buffered_bytes_max = 1u << 20;
    memory.tenant_bytes_max = 100'000;
    settings.stream_bytes_max = 64u << 10;
    settings.sync.max_bytes = 8192;
    settings.sync.window = 4;
    settings.record_cache = 5;
    start();
    std::mt19937_64 random{21};
    std::vector<write_answer> answers;
    for (int round = 0; round < 20'000; ++round) {
      const auto name = "t" + std::to_string(random() % 3) + "/"
                        + std::to_string(random() % 20);
      switch (random() % 16) {
        case 0: answers.push_back(create(name)); break;
        case 1:
          answers.push_back(control(
            random() % 4 == 0 ? write_kind::close : write_kind::remove,
            {{}, name}));
          break;
        case 2:
          answers.push_back(control(write_kind::sync, {{}, name}));
          break;
        case 3: commit(random() % 4); break;
        case 4: advance(random() % 1000); break;
        case 5: checkpoint(); break;
        default:
          append_options how;
          how.ack = random() % 2 == 0 ? ack::durable : ack::buffered;
          answers.push_back(
            append({{}, name}, std::string(random() % 10'000, 'x'), how));
      }
      REQUIRE(used() <= memory.buffered_bytes_max);
    }
    settle();
    const auto last = control(write_kind::sync, {});
    settle();
    CHECK(last->good());
    for (const auto& answer : answers)
      CHECK(answer->done);
    CHECK(awake.empty());
    CHECK(used() == 0);
    for (const auto* tenant : {"t0/", "t1/", "t2/"})
      CHECK(budget->tenant(tenant)->used() == 0);
    // And a restart sees the same streams.
    const auto before = list();
    std::vector<std::uint64_t> ends;
    for (const auto& name : before)
      ends.push_back(raw(info({{}, name}).next));
    start();
    CHECK(list() == before);
    for (std::size_t i = 0; i < before.size(); ++i)
      CHECK(raw(info({{}, before[i]}).next) == ends[i]);
  }
}
