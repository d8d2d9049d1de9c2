// SPDX-License-Identifier: Apache-2.0
#include "runtime/retention.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace torpor;

namespace {

/// Adds a block of entries to a record as a commit does.
void add(stream_record& record, const retention_policy& keep,
         std::uint32_t count, std::size_t bytes, std::int64_t time_ms) {
  block_view block;
  block.first = record.next;
  block.count = count;
  block.first_ms = block.last_ms = time_ms;
  block.entry_bytes = bytes;
  const auto before = record.last_ms;
  record.next = record.next + count;
  record.kept_bytes = static_cast<std::uint32_t>(record.kept_bytes + bytes);
  record.last_ms = time_ms;
  count_entries(record, keep, block, before);
}

void truncate(stream_record& record, sequence first) {
  record.first = first;
  forget_entries(record);
}

retention_rules rules(
  std::initializer_list<std::pair<const char*, std::uint64_t>> ages) {
  std::map<std::string, retention_rule> all;
  for (const auto& [prefix, age] : ages) {
    auto& rule = all[std::string{"rule of "} + prefix];
    rule.prefix = prefix;
    rule.keep.age_ms = age;
  }
  return retention_rules{all};
}

std::uint64_t raw_cut(const stream_record& record, const retention_policy& keep,
                      std::int64_t now_ms) {
  const auto from = cut(record, keep, now_ms, {record.next, 0});
  return raw(from.value_or(record.first));
}

} // namespace

TEST_SUITE_BEGIN("retention");

TEST_CASE("of several rules the one with the longest prefix counts") {
  const auto some = rules({{"a", 1}, {"a/b", 2}, {"a/b/c/d", 3}, {"b", 4}});
  CHECK(some.of("a").age_ms == 1);
  CHECK(some.of("a/a").age_ms == 1);
  CHECK(some.of("a/b").age_ms == 2);
  CHECK(some.of("a/b/c/c").age_ms == 2);
  CHECK(some.of("a/b/c/d").age_ms == 3);
  CHECK(some.of("a/b/c/e").age_ms == 2);
  CHECK(some.of("a/z").age_ms == 1);
  CHECK(some.of("b/").age_ms == 4);
  CHECK(some.of("c").age_ms == 0);
  CHECK(some.of("A").age_ms == 0);
  CHECK(rules({{"", 9}, {"a", 1}}).of("b").age_ms == 9);
  CHECK(rules({}).of("b").age_ms == 0);
}

TEST_CASE("a stream's own numbers come before the rule's") {
  const auto some = rules({{"", 9}});
  stream_record record;
  record.name = "x";
  CHECK(some.of(record).age_ms == 9);
  settings_of(record).keep.entries = 5;
  CHECK(some.of(record).age_ms == 9);
  CHECK(some.of(record).entries == 5);
  settings_of(record).keep.age_ms = 3;
  CHECK(some.of(record).age_ms == 3);
  settings_of(record).keep.age_ms = retention_policy::unlimited;
  CHECK(some.of(record).age_ms == 0);
}

TEST_CASE("the number of entries is kept exactly") {
  stream_record record;
  const retention_policy keep{0, 0, 10, 0, 0};
  add(record, keep, 10, 100, 1);
  CHECK(raw_cut(record, keep, 1) == 0);
  add(record, keep, 7, 100, 1);
  CHECK(raw_cut(record, keep, 1) == 7);
  CHECK(!record.settings); // Nothing has to be counted for that.
}

TEST_CASE("what is over the bytes goes, up to a sixteenth at a time") {
  stream_record record;
  const retention_policy keep{0, 1600, 0, 0, 0};
  for (auto i = 0; i < 160; ++i)
    add(record, keep, 1, 10, 1);
  CHECK(raw_cut(record, keep, 1) == 0);
  add(record, keep, 1, 10, 1);
  const auto first = raw_cut(record, keep, 1);
  CHECK(first > 0);
  CHECK(first <= 10);
  truncate(record, sequence{first});
  CHECK(raw_cut(record, keep, 1) == first);
}

TEST_CASE("of a stream with one large append the newest entries stay") {
  stream_record record;
  const retention_policy keep{0, 100, 0, 0, 0};
  add(record, keep, 3, 5000, 1);
  CHECK(raw_cut(record, keep, 1) == 2);
  // What comes takes its place.
  const auto from = cut(record, keep, 1, {record.next + 1, 50});
  REQUIRE(from);
  CHECK(raw(*from) == 3);
}

TEST_CASE("entries go when they are too old, and not before") {
  stream_record record;
  const retention_policy keep{1600, 0, 0, 0, 0};
  for (std::int64_t time = 0; time < 3200; time += 10)
    add(record, keep, 1, 10, time);
  for (std::int64_t now = 0; now < 6000; now += 100) {
    const auto first = static_cast<std::int64_t>(raw_cut(record, keep, now));
    const auto oldest = std::min<std::int64_t>(first * 10, 3200);
    INFO("now ", now, " first ", first);
    // The entry before is too old; nothing older than a run's length stays.
    CHECK((first == 0 || oldest - 10 + 1600 <= now));
    CHECK((oldest == 3200 || oldest + 1600 + 110 > now));
  }
  CHECK(raw_cut(record, keep, 10'000) == 320); // All of them.
}

TEST_CASE("entries from before a policy count as old as the newest of them") {
  stream_record record;
  add(record, {}, 50, 10, 1000);
  const retention_policy keep{100, 0, 0, 0, 0};
  CHECK(raw_cut(record, keep, 1099) == 0);
  CHECK(next_review(record, keep) == 1100);
  add(record, keep, 1, 10, 1050);
  CHECK(raw_cut(record, keep, 1100) == 50);
  CHECK(raw_cut(record, keep, 1149) == 50);
  CHECK(raw_cut(record, keep, 1150) == 51);
}

TEST_CASE("entries that came while no policy held are not taken for older") {
  stream_record record;
  const retention_policy keep{100, 0, 0, 0, 0};
  add(record, keep, 1, 10, 1000);
  add(record, {}, 1, 10, 5000); // Nobody counted it.
  CHECK(raw_cut(record, keep, 5099) == 0);
  add(record, keep, 1, 10, 5050);
  CHECK(raw_cut(record, keep, 5099) == 0);
  CHECK(raw_cut(record, keep, 5149) == 2);
}

TEST_CASE("bytes from before a policy count, each entry alike") {
  stream_record record;
  add(record, {}, 1000, 100'000, 1);
  const retention_policy keep{0, 10'000, 0, 0, 0};
  const auto first = raw_cut(record, keep, 1);
  CHECK(first >= 900);
  CHECK(first <= 901);
  // Also when the policy is there before the next append.
  add(record, keep, 1, 100, 1);
  CHECK(raw_cut(record, keep, 1) >= 901);
  CHECK(raw_cut(record, keep, 1) <= 902);
}

TEST_CASE("what was truncated counts no more") {
  stream_record record;
  const retention_policy keep{0, 1600, 0, 0, 0};
  for (auto i = 0; i < 160; ++i)
    add(record, keep, 1, 10, 1);
  truncate(record, sequence{155});
  for (auto i = 0; i < 150; ++i)
    add(record, keep, 1, 10, 1);
  CHECK(raw_cut(record, keep, 1) == 155);
  truncate(record, record.next);
  CHECK(record.settings->runs.empty());
}

TEST_CASE("runs of entries are bounded in number") {
  stream_record record;
  const retention_policy keep{16, 16, 0, 0, 0};
  for (auto i = 0; i < 1000; ++i)
    add(record, keep, 1, 10, i);
  CHECK(record.settings->runs.size() <= 64);
  // The last one has the rest, and is cut inside.
  CHECK(raw_cut(record, keep, 1000) == 999);
}

TEST_CASE("a stream goes when nobody used it for its time to live") {
  stream_record record;
  const retention_policy keep{0, 0, 0, 100, 0};
  CHECK_FALSE(expired(record, keep, 1'000'000)); // Nobody knows since when.
  settings_of(record).touched_ms = 1000;
  CHECK_FALSE(expired(record, keep, 1099));
  CHECK(expired(record, keep, 1100));
  CHECK(next_review(record, keep) == 1100);
  record.last_ms = 1050;
  CHECK_FALSE(expired(record, keep, 1149));
  record.settings->seen_ms = 1200;
  CHECK(next_review(record, keep) == 1300);
  CHECK(expired(record, keep, 1300));
}

TEST_CASE("a stream goes at the time that was set for it") {
  stream_record record;
  record.last_ms = 5000;
  const retention_policy keep{0, 0, 0, 0, 1000};
  CHECK_FALSE(expired(record, keep, 999));
  CHECK(expired(record, keep, 1000));
  CHECK(next_review(record, keep) == 1000);
}

TEST_CASE("bounds beyond the end of time are never reached") {
  stream_record record;
  record.next = sequence{1};
  record.last_ms = std::numeric_limits<std::int64_t>::max() - 5;
  const retention_policy keep{1ull << 42, 0, 0, 1ull << 42, 0};
  CHECK(next_review(record, keep) == 0);
  CHECK_FALSE(expired(record, keep,
                      std::numeric_limits<std::int64_t>::max() - 1));
}

TEST_CASE(
  "what was added while there was no bound counts when there is one again") {
  retention_policy bound;
  bound.bytes = 1000;
  stream_record record;
  add(record, bound, 1, 100, 1);
  add(record, {}, 100, 100'000, 2);
  CHECK(raw_cut(record, bound, 3) >= 100);
  add(record, bound, 1, 100, 3);
  CHECK(raw_cut(record, bound, 3) >= 91);
}

TEST_SUITE_END();
