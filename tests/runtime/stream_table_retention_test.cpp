// SPDX-License-Identifier: Apache-2.0
#include "tests/support/table_fixture.hpp"

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr retention_policy of_age(std::uint64_t ms) {
  return {ms, 0, 0, 0, 0};
}
constexpr retention_policy of_entries(std::uint64_t count) {
  return {0, 0, count, 0, 0};
}
constexpr retention_policy of_ttl(std::uint64_t ms) {
  return {0, 0, 0, ms, 0};
}

struct retention_fixture : table_fixture {
  /// Begins with these rules, or again as after a restart.
  void begin(const std::map<std::string, retention_policy>& rules = {}) {
    std::map<std::string, retention_rule> all;
    for (const auto& [prefix, keep] : rules)
      all[prefix] = {prefix, keep};
    settings.retention = retention_rules{all};
    start();
    retain();
  }

  void make(std::string_view name, const retention_policy& keep) {
    const auto made = create(name, {}, keep);
    commit();
    REQUIRE(made->good());
  }

  void add(std::string_view name, std::string_view payload = "x") {
    const auto done = append({{}, name}, payload);
    settle();
    REQUIRE(done->good());
  }

  std::uint64_t first(std::string_view name) {
    return raw(info({{}, name}).first);
  }

  bool exists(std::string_view name) {
    return table->info({{}, name}).has_value();
  }

  /// Turns the clock and commits what that brings.
  void pass(std::uint64_t ms) {
    advance(ms);
    settle();
  }
};

} // namespace

TEST_SUITE_BEGIN("stream_table_retention");

TEST_CASE_FIXTURE(retention_fixture,
                  "a stream keeps as many entries as its policy says") {
  begin();
  make("a", of_entries(3));
  for (auto i = 0; i < 10; ++i)
    add("a", std::to_string(i));
  CHECK(first("a") == 7);
  read_options from;
  from.from = sequence{7};
  CHECK(read({{}, "a"}, from)->payloads() == payloads{"7", "8", "9"});
  CHECK(read({{}, "a"})->code == errc::out_of_range);
}

TEST_CASE_FIXTURE(retention_fixture, "what retention deleted stays deleted") {
  begin();
  make("a", of_entries(3));
  for (auto i = 0; i < 10; ++i)
    add("a");
  begin();
  CHECK(first("a") == 7);
  checkpoint();
  begin();
  CHECK(first("a") == 7);
}

TEST_CASE_FIXTURE(retention_fixture,
                  "entries that are too old go though nothing comes") {
  begin();
  make("a", of_age(1000));
  add("a");
  pass(500);
  add("a");
  pass(499);
  CHECK(first("a") == 0);
  pass(1);
  CHECK(first("a") == 1);
  pass(500);
  CHECK(first("a") == 2);
  CHECK(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture,
                  "a sleeping stream's entries go after a restart, too") {
  begin();
  make("a", of_age(1000));
  add("a");
  checkpoint();
  clock.wall += 10'000;
  begin();
  settle();
  CHECK(first("a") == 1);
}

TEST_CASE_FIXTURE(retention_fixture, "a smaller policy takes effect at once") {
  begin();
  for (auto i = 0; i < 10; ++i)
    add("a");
  const auto changed = set_retention({{}, "a"}, of_entries(2));
  commit();
  REQUIRE(changed->good());
  CHECK(first("a") == 8);
  CHECK(info({{}, "a"}).retention == of_entries(2));
}

TEST_CASE_FIXTURE(retention_fixture, "bytes are kept up to the bound") {
  begin();
  make("a", {0, 16'000, 0, 0, 0});
  for (auto i = 0; i < 40; ++i)
    add("a", std::string(1000, 'x'));
  const auto kept = 40 - first("a");
  CHECK(kept <= 16);
  CHECK(kept >= 14);
}

TEST_CASE_FIXTURE(retention_fixture, "a rule holds for streams with its prefix") {
  begin({{"logs/", of_entries(2)}, {"logs/all/", of_entries(4)}});
  for (auto i = 0; i < 6; ++i)
    for (const auto* name : {"logs/a", "logs/all/a", "other"})
      add(name);
  CHECK(first("logs/a") == 4);
  CHECK(first("logs/all/a") == 2);
  CHECK(first("other") == 0);
  CHECK(info({{}, "logs/a"}).keeps == of_entries(2));
  CHECK(info({{}, "logs/a"}).retention == retention_policy{});
}

TEST_CASE_FIXTURE(retention_fixture, "a new rule reaches streams that sleep") {
  begin();
  for (auto i = 0; i < 5; ++i)
    add("logs/a");
  add("logs/b");
  checkpoint();
  clock.wall += 500;
  begin({{"logs/", {1000, 0, 3, 0, 0}}});
  for (auto i = 0; i < 5; ++i)
    pass(1);
  CHECK(first("logs/a") == 2);
  CHECK(first("logs/b") == 0);
  pass(500);
  CHECK(first("logs/b") == 1);
}

TEST_CASE_FIXTURE(retention_fixture,
                  "a rule that is gone deletes nothing any more") {
  begin({{"logs/", of_age(1000)}});
  add("logs/a");
  checkpoint();
  begin();
  pass(5000);
  CHECK(first("logs/a") == 0);
  CHECK(wheel.empty());
}

TEST_CASE_FIXTURE(retention_fixture,
                  "a stream that nobody uses goes after its time to live") {
  begin();
  make("a", of_ttl(1000));
  pass(600);
  add("a");
  pass(999);
  CHECK(exists("a"));
  pass(1);
  CHECK_FALSE(exists("a"));
  CHECK(list().empty());
  begin();
  CHECK_FALSE(exists("a"));
  CHECK(wheel.empty());
}

TEST_CASE_FIXTURE(retention_fixture, "who reads a stream keeps it alive") {
  begin();
  make("a", of_ttl(1000));
  for (auto i = 0; i < 10; ++i) {
    pass(400);
    CHECK(read({{}, "a"})->code == errc{});
    settle();
  }
  pass(999);
  CHECK(exists("a"));
  pass(1);
  CHECK_FALSE(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture,
                  "a reader's touch outlives a restart but for an eighth") {
  begin();
  make("a", of_ttl(800));
  pass(700);
  CHECK(read({{}, "a"})->code == errc{});
  settle();
  pass(90);
  CHECK(read({{}, "a"})->code == errc{}); // Too soon to be written down.
  CHECK(flights.empty());
  begin();
  pass(700);
  CHECK(exists("a"));
  pass(10);
  CHECK_FALSE(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture,
                  "nothing comes behind the block that removes a stream") {
  begin();
  make("a", of_age(1000));
  add("a");
  const auto removed = control(write_kind::remove, {{}, "a"});
  REQUIRE(flights.size() == 1);
  advance(2000); // Its entry is too old now.
  commit();
  CHECK(removed->good());
  CHECK(flights.empty());
  CHECK(awake.empty());
}

TEST_CASE_FIXTURE(retention_fixture,
                  "a stream that could not be removed goes on being looked at") {
  begin();
  make("a", of_age(1000));
  add("a");
  const auto removed = control(write_kind::remove, {{}, "a"});
  advance(2000); // Its entry is too old, but nothing may come behind.
  refuse_flights({errc::io_failed, "no room"});
  CHECK(removed->code() == errc::io_failed);
  CHECK(first("a") == 0);
  pass(2000);
  CHECK(first("a") == 1);
}

TEST_CASE_FIXTURE(retention_fixture,
                  "who expired is not seen again while it is buried") {
  begin();
  make("a", of_ttl(1000));
  add("a");
  REQUIRE(pin({{}, "a"}, 1, "fork")->done == false);
  settle();
  clock.wall += 2000;
  REQUIRE_FALSE(exists("a"));
  const auto refused = append({{}, "a"}, "y"); // It is buried from now on.
  CHECK_FALSE(exists("a"));
  CHECK(read({{}, "a"})->code == errc::not_found);
  refuse_flights({errc::io_failed, "no room"});
  CHECK(refused->code() == errc::io_failed);
  CHECK_FALSE(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture, "looking at a stream does not keep it") {
  begin();
  make("a", of_ttl(1000));
  for (auto i = 0; i < 9; ++i) {
    pass(100);
    CHECK(exists("a"));
  }
  pass(100);
  CHECK_FALSE(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture, "a stream goes at its time, used or not") {
  begin();
  make("a", {0, 0, 0, 0, clock.wall + 1000});
  pass(999);
  add("a");
  CHECK(exists("a"));
  pass(1);
  CHECK_FALSE(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture,
                  "an expired stream is not shown before it is deleted") {
  begin();
  make("a", of_ttl(1000));
  add("a");
  const auto old = info({{}, "a"}).id;
  clock.wall += 1000; // The wheel has not turned yet.
  CHECK_FALSE(exists("a"));
  CHECK(read({{}, "a"})->code == errc::not_found);
  CHECK(append({old, {}}, "x")->code() == errc::not_found);
  // Its name is free.
  add("a", "new");
  CHECK(read({{}, "a"})->payloads() == payloads{"new"});
  CHECK(info({{}, "a"}).id != old);
  settle();
  begin();
  CHECK(read({{}, "a"})->payloads() == payloads{"new"});
  CHECK(list() == payloads{"a"});
}

TEST_CASE_FIXTURE(retention_fixture,
                  "an append that waits to be synced keeps its stream") {
  begin();
  make("a", of_ttl(1000));
  pass(900);
  const auto open = append({{}, "a"}, "x"); // Its commit takes long.
  advance(500);
  CHECK(exists("a"));
  settle();
  CHECK(open->good());
  CHECK(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture,
                  "a deletion that found no room is tried again") {
  begin();
  make("a", of_ttl(1000));
  advance(1000);
  REQUIRE(flights.size() == 1);
  refuse_flights({errc::io_failed, "no room"});
  CHECK_FALSE(exists("a"));
  pass(1000);
  CHECK(list().empty());
}

TEST_CASE_FIXTURE(retention_fixture,
                  "one timer serves any number of streams with a time to live") {
  begin();
  for (auto i = 0; i < 500; ++i)
    make(std::to_string(i), of_ttl(1000 + static_cast<std::uint64_t>(i)));
  CHECK(wheel.size() == 1);
  checkpoint();
  pass(1250);
  CHECK(list().size() == 249);
  CHECK(wheel.size() <= 2);
  pass(3000);
  CHECK(list().empty());
}

TEST_CASE_FIXTURE(retention_fixture,
                  "a longer time that was accepted in time keeps its stream") {
  begin();
  make("a", of_ttl(1000));
  pass(900);
  const auto longer = set_retention({{}, "a"}, of_ttl(5000));
  advance(200); // Its commit takes that long.
  CHECK(exists("a"));
  settle();
  CHECK(longer->good());
  pass(3000);
  CHECK(exists("a"));
  pass(2000);
  CHECK_FALSE(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture,
                  "what is buffered leaves when its stream's time has passed") {
  settings.sync.max_delay = std::chrono::hours{1};
  begin();
  make("a", of_ttl(1000));
  pass(500);
  const auto kept = buffered({{}, "a"}, "x");
  CHECK(kept->good());
  advance(500);
  CHECK(flights.size() == 1);
  settle();
  CHECK(exists("a"));
  pass(500);
  CHECK_FALSE(exists("a"));
}

TEST_CASE_FIXTURE(retention_fixture,
                  "many deletions at once do not queue in front of appends") {
  settings.sync.window = 8;
  begin();
  for (auto i = 0; i < 100; ++i)
    make(std::to_string(i), of_ttl(1000));
  advance(1000);
  CHECK(awake.size() == 8);
  const auto between = append({{}, "other"}, "x");
  commit(8);
  REQUIRE(!flights.empty());
  commit();
  CHECK(between->good());
  for (auto i = 0; i < 100; ++i)
    pass(10);
  CHECK(list() == payloads{"other"});
}

TEST_CASE_FIXTURE(retention_fixture, "a rule's walk has its plans saved") {
  begin();
  for (auto i = 0; i < 5; ++i)
    add("logs/" + std::to_string(i));
  checkpoint();
  settings.retention = retention_rules{
    {{"logs", {"logs/", of_age(1'000'000)}}}};
  start();
  table->start_retention();
  CHECK(table->out().save);
  flush();
  CHECK(table->records().dirty() == 5);
  checkpoint();
  CHECK(table->records().dirty() == 0);
}

TEST_CASE_FIXTURE(retention_fixture, "a senseless policy is refused") {
  begin();
  CHECK(create("a", {}, of_age((1ull << 42) + 1))->code()
        == errc::invalid_argument);
  CHECK_FALSE(exists("a"));
  add("a");
  CHECK(set_retention({{}, "a"}, {0, 0, 0, 0, -1})->code()
        == errc::invalid_argument);
  CHECK(set_retention({{}, "b"}, of_age(1))->code() == errc::not_found);
}

TEST_CASE_FIXTURE(retention_fixture,
                  "a wall clock that jumps ahead is noticed within the hour") {
  begin();
  make("a", of_ttl(10'000'000'000));
  clock.wall += 20'000'000'000;
  CHECK_FALSE(exists("a"));
  pass(3'600'000);
  CHECK(list().empty());
}

TEST_SUITE_END();
