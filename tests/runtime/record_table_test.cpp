// SPDX-License-Identifier: Apache-2.0
#include "runtime/record_table.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace torpor;

namespace {

constexpr auto none = record_table::none;

/// A table on a catalog in memory, with the shard's part of a commit.
class table_on_catalog {
public:
  explicit table_on_catalog(std::uint32_t cache_max = 1000)
    : table{stored->reader(), 0, 1, cache_max} {}

  /// Makes a durable stream.
  stream_id create(const std::string& name) {
    const auto id = table[table.create(name)].id;
    commit(id, 0, [&](block_view& block) {
      block.creates = true;
      block.name = name;
    });
    return id;
  }

  /// Commits a block without entries, or with `count`.
  template <class Fill>
  void commit(stream_id id, std::uint32_t count, Fill fill) {
    block_view block;
    block.stream = id;
    block.count = count;
    block.first = table[row(id)].record.next;
    fill(block);
    REQUIRE(table.apply(block).value() != record_table::none);
  }

  void write(stream_id id, std::uint32_t count = 1) {
    commit(id, count, [](block_view&) {});
  }

  void remove(stream_id id) {
    commit(id, 0, [](block_view& block) { block.removes = true; });
  }

  record_table::row_index row(stream_id id) {
    const auto found = table.find(id);
    REQUIRE(found);
    return *found;
  }

  bool knows(std::string_view name) {
    const auto found = table.find(name);
    REQUIRE(found);
    return *found != none;
  }

  /// One step of a checkpoint; how many records it saved.
  std::size_t step(std::size_t count_max = 1000) {
    auto changes = table.collect(count_max);
    const auto count = changes.size();
    REQUIRE(stored->update(changes, std::nullopt));
    table.saved(true);
    return count;
  }

  void checkpoint(std::size_t count_max = 1000) {
    table.begin_checkpoint();
    while (step(count_max) > 0)
      ;
    while (table.evict(count_max))
      ;
  }

  std::uint64_t stored_next(stream_id id) {
    const auto record = stored->reader()->find(id);
    REQUIRE(record);
    REQUIRE(record->has_value());
    return raw((*record)->next);
  }

  std::unique_ptr<catalog> stored = make_memory_catalog();
  record_table table;
};

/// Streams that are in the catalog only.
std::vector<stream_id> fill(catalog& stored, int count) {
  std::vector<stream_id> ids;
  std::vector<catalog_change> changes;
  for (int i = 0; i < count; ++i) {
    stream_record record;
    record.name = "s" + std::to_string(i);
    ids.push_back(stream_id{static_cast<std::uint64_t>(i + 1) << 8
                            | slot_of(record.name)});
    changes.push_back({ids.back(), std::move(record)});
  }
  REQUIRE(stored.update(changes, std::nullopt));
  return ids;
}

/// A catalog that cannot be read.
class broken_reader final : public catalog_reader {
public:
  result<std::optional<stream_record>> find(stream_id) override {
    return fail(errc::io_failed, "read 'catalog'");
  }
  result<std::optional<stream_id>> find(std::string_view) override {
    return fail(errc::io_failed, "read 'catalog'");
  }
  result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view, std::string_view, std::size_t, std::uint32_t,
       std::uint32_t) override {
    return fail(errc::io_failed, "read 'catalog'");
  }
  result<std::vector<stream_review>> reviews(stream_review, stream_review,
                                             std::size_t, std::uint32_t,
                                             std::uint32_t) override {
    return fail(errc::io_failed, "read 'catalog'");
  }
};

} // namespace

TEST_SUITE("record_table") {
  TEST_CASE("a name's slot is in its id, and one shard owns both") {
    table_on_catalog all;
    for (const std::string name : {"a", "b", "tenant/log", "\xc3\xa4"}) {
      const auto id = all.create(name);
      CHECK(raw(id) % slots == slot_of(name));
      for (const std::uint32_t shards : {1u, 2u, 7u, 64u}) {
        CHECK(shard_of(id, shards) == shard_of(name, shards));
        CHECK(shard_of(id, shards) < shards);
      }
    }
  }

  TEST_CASE("a slot of names never changes") {
    // A store's files depend on it.
    CHECK(slot_of("a") == 0x1f);
    CHECK(slot_of("tenant/log") == 0x9b);
  }

  TEST_CASE("the largest number is remembered, however it is told") {
    table_on_catalog all;
    const auto slot = slot_of("a");
    all.table.number(slot, 41);
    all.table.number(slot, 7);
    CHECK(raw(all.create("a")) == (42u << 8 | slot));
  }

  TEST_CASE("a created stream is found by name and id") {
    table_on_catalog all;
    const auto at = all.table.create("a");
    CHECK(all.table[at].unborn);
    CHECK(all.table.find("a").value() == at);
    CHECK(all.table.find(all.table[at].id).value() == at);
    CHECK(all.table.find("b").value() == none);
    CHECK(all.table.dirty() == 0);
  }

  TEST_CASE("a forgotten stream leaves nothing but its number") {
    table_on_catalog all;
    const auto at = all.table.create("a");
    const auto id = all.table[at].id;
    all.table.forget(at);
    CHECK_FALSE(all.knows("a"));
    CHECK(all.table.in_memory() == 0);
    CHECK(raw(all.create("a")) > raw(id));
  }

  TEST_CASE("a catalog that cannot be read is an error, not a missing stream") {
    record_table table{std::make_unique<broken_reader>(), 0, 1, 10};
    CHECK(table.find(stream_id{300}).error().code == errc::io_failed);
    CHECK(table.find("a").error().code == errc::io_failed);
    CHECK(table.list({}, {}, 5).error().code == errc::io_failed);
    block_view block;
    block.stream = stream_id{300};
    CHECK(table.apply(block).error().code == errc::io_failed);
    CHECK(table.in_memory() == 0);
  }

  // -- replay ----------------------------------------------------------------

  TEST_CASE("a replayed create makes the stream and keeps its number") {
    table_on_catalog all;
    block_view block;
    block.stream = stream_id{9u << 8 | slot_of("a")};
    block.creates = true;
    block.name = "a";
    block.count = 2;
    CHECK(all.table.apply(block).value() != record_table::none);
    CHECK(all.table[all.row(block.stream)].record.next == sequence{2});
    CHECK(all.knows("a"));
    all.remove(block.stream);
    CHECK(raw(all.create("a")) == (10u << 8 | slot_of("a")));
  }

  TEST_CASE("a create of number 0, or of one far beyond all, is refused") {
    table_on_catalog all;
    block_view block;
    block.creates = true;
    block.name = "a";
    const auto slot = slot_of("a");
    for (const auto number : {std::uint64_t{0}, std::uint64_t{1} << 33,
                              ~std::uint64_t{0} >> 8}) {
      block.stream = stream_id{number << 8 | slot};
      const auto refused = all.table.apply(block);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == errc::corrupt);
      CHECK(refused.error().context.find(std::to_string(raw(block.stream)))
            != std::string::npos);
    }
    CHECK(all.table.in_memory() == 0);
    all.table.number(slot, std::uint64_t{1} << 33);
    block.stream = stream_id{(std::uint64_t{1} << 33 | 1) << 8 | slot};
    CHECK(all.table.apply(block).value() != record_table::none);
  }

  TEST_CASE("a block of a stream that is long gone is passed over") {
    table_on_catalog all;
    block_view block;
    block.stream = stream_id{9u << 8 | 1};
    block.count = 2;
    CHECK(all.table.apply(block).value() == record_table::none);
    block.removes = true;
    CHECK(all.table.apply(block).value() == record_table::none);
    CHECK(all.table.in_memory() == 0);
    CHECK(all.table.dirty() == 0);
  }

  TEST_CASE("a stream that lived and died in the journal stays dead") {
    table_on_catalog all;
    const auto id = all.create("a");
    all.write(id);
    all.remove(id);
    CHECK_FALSE(all.knows("a"));
    block_view late;
    late.stream = id;
    late.creates = true;
    late.name = "a";
    CHECK(all.table.apply(late).value() == record_table::none);
    CHECK_FALSE(all.knows("a"));
  }

  // -- checkpoint ------------------------------------------------------------

  TEST_CASE("a checkpoint saves every changed record once") {
    table_on_catalog all;
    std::vector<stream_id> ids;
    for (int i = 0; i < 100; ++i) {
      ids.push_back(all.create("s" + std::to_string(i)));
      all.write(ids.back(), 3);
    }
    CHECK(all.table.dirty() == 100);
    all.table.begin_checkpoint();
    std::size_t saved = 0;
    for (std::size_t step; (step = all.step(7)) > 0; saved += step)
      CHECK(step <= 7);
    CHECK(saved == 100);
    CHECK(all.table.dirty() == 0);
    for (const auto id : ids)
      CHECK(all.stored_next(id) == 3);
    all.table.begin_checkpoint();
    CHECK(all.step() == 0);
  }

  TEST_CASE("a record that changes while it is saved is saved again") {
    table_on_catalog all;
    const auto id = all.create("a");
    all.table.begin_checkpoint();
    auto changes = all.table.collect(10);
    REQUIRE(changes.size() == 1);
    all.write(id, 5);
    REQUIRE(all.stored->update(changes, std::nullopt));
    all.table.saved(true);
    CHECK(all.stored_next(id) == 0);
    CHECK(all.table.dirty() == 1);
    CHECK(all.step() == 0); // It belongs to the next one.
    all.checkpoint();
    CHECK(all.stored_next(id) == 5);
    CHECK(all.table.dirty() == 0);
  }

  TEST_CASE("a record that changes before it is collected is saved as it is") {
    table_on_catalog all;
    const auto id = all.create("a");
    all.table.begin_checkpoint();
    all.write(id, 5);
    CHECK(all.step() == 1);
    CHECK(all.stored_next(id) == 5);
    all.checkpoint();
    CHECK(all.table.dirty() == 0);
  }

  TEST_CASE("a save that failed is tried again, with what came after it") {
    table_on_catalog all;
    std::vector<stream_id> ids;
    for (int i = 0; i < 10; ++i)
      ids.push_back(all.create("s" + std::to_string(i)));
    all.table.begin_checkpoint();
    CHECK(all.table.collect(4).size() == 4);
    for (const auto id : ids)
      all.write(id, 2); // Some collected, some not.
    all.table.saved(false);
    CHECK(all.table.collect(100).empty());
    all.table.saved(true);
    CHECK(all.table.dirty() == 10);
    for (const auto id : ids)
      CHECK(all.table[all.row(id)].record.next == sequence{2});
    all.table.begin_checkpoint();
    CHECK(all.step() == 10);
    for (const auto id : ids)
      CHECK(all.stored_next(id) == 2);
    CHECK(all.table.dirty() == 0);
  }

  TEST_CASE("a removal reaches the catalog and leaves no row") {
    table_on_catalog all;
    const auto kept = all.create("kept");
    const auto gone = all.create("gone");
    all.checkpoint();
    all.remove(gone);
    CHECK(all.table.in_memory() == 2);
    all.checkpoint();
    CHECK(all.table.in_memory() == 1);
    CHECK(*all.stored->count() == 1);
    CHECK_FALSE(all.knows("gone"));
    CHECK(all.stored_next(kept) == 0);
  }

  TEST_CASE("a stream removed while its record is saved is gone in the end") {
    table_on_catalog all;
    const auto id = all.create("a");
    all.table.begin_checkpoint();
    auto changes = all.table.collect(10);
    all.remove(id);
    const auto again = all.create("a");
    REQUIRE(all.stored->update(changes, std::nullopt));
    all.table.saved(true);
    CHECK(all.table[*all.table.find("a")].id == again);
    CHECK(all.table.find(id).value() == none);
    all.checkpoint();
    CHECK(*all.stored->count() == 1);
    CHECK(all.table[*all.table.find("a")].id == again);
    CHECK(all.table.in_memory() == 1);
  }

  TEST_CASE("a failed save of a removal is tried again too") {
    table_on_catalog all;
    const auto id = all.create("a");
    all.checkpoint();
    all.remove(id);
    all.table.begin_checkpoint();
    const auto changes = all.table.collect(10);
    REQUIRE(changes.size() == 1);
    CHECK_FALSE(changes[0].record);
    all.table.saved(false);
    CHECK_FALSE(all.knows("a")); // Though the catalog has it.
    all.checkpoint();
    CHECK(*all.stored->count() == 0);
    CHECK(all.table.in_memory() == 0);
  }

  // -- the cache -------------------------------------------------------------

  TEST_CASE("streams that were looked at stay in memory up to a bound") {
    table_on_catalog all{100};
    const auto ids = fill(*all.stored, 5000);
    for (int round = 0; round < 3; ++round)
      for (const auto id : ids) {
        REQUIRE(all.row(id) != none);
        REQUIRE(all.table.in_memory() <= 130);
      }
    CHECK(all.table.in_memory() >= 100);
  }

  TEST_CASE("a stream in use stays where it is") {
    table_on_catalog all{10};
    const auto ids = fill(*all.stored, 3000);
    const auto in_use = all.row(ids[0]);
    all.table[in_use].awake = 3;
    const auto unborn = all.table.create("unborn");
    const auto changed = all.row(ids[1]);
    all.write(ids[1]);
    for (const auto id : ids)
      static_cast<void>(all.row(id));
    CHECK(all.table.in_memory(ids[0]) == in_use);
    CHECK(all.table[in_use].id == ids[0]);
    CHECK(all.table.in_memory(ids[1]) == changed);
    CHECK(all.table[changed].record.next == sequence{1});
    CHECK(all.table.find("unborn").value() == unborn);
    CHECK(all.table.in_memory() < 50);
  }

  TEST_CASE("a stream that is used again and again is kept, idle ones go") {
    table_on_catalog all{100};
    const auto ids = fill(*all.stored, 3000);
    int reloads = 0;
    for (std::size_t i = 1; i < ids.size(); ++i) {
      if (all.table.in_memory(ids[0]) == none)
        ++reloads;
      static_cast<void>(all.row(ids[0]));
      static_cast<void>(all.row(ids[i]));
    }
    CHECK(reloads == 1);
  }

  TEST_CASE("a checkpoint leaves no more records in memory than the bound") {
    table_on_catalog all{100};
    for (int round = 0; round < 2; ++round) {
      std::vector<stream_id> ids;
      for (int i = 0; i < 5000; ++i)
        ids.push_back(all.create(std::to_string(round) + "/"
                                 + std::to_string(i)));
      CHECK(all.table.in_memory() >= 5000);
      all.checkpoint(128);
      CHECK(all.table.in_memory() <= 130);
      for (const auto id : ids)
        REQUIRE(all.row(id) != none);
    }
  }

  TEST_CASE("without a cache only changed and used records are in memory") {
    table_on_catalog all{0};
    const auto ids = fill(*all.stored, 100);
    for (const auto id : ids)
      static_cast<void>(all.row(id));
    CHECK(all.table.in_memory() <= 4);
    all.write(ids[5]);
    for (const auto id : ids)
      static_cast<void>(all.row(id));
    CHECK(all.table[all.table.in_memory(ids[5])].record.next == sequence{1});
    all.checkpoint();
    CHECK(all.stored_next(ids[5]) == 1);
  }

  TEST_CASE("a list names the streams of its own shard only") {
    const auto stored = make_memory_catalog();
    fill(*stored, 100);
    std::set<std::string> all;
    for (std::uint32_t shard = 0; shard < 3; ++shard) {
      record_table table{stored->reader(), shard, 3, 10};
      const auto names = table.list("s", {}, 1000);
      REQUIRE(names);
      for (const auto& [name, id] : *names) {
        CHECK(shard_of(id, 3) == shard);
        CHECK(all.insert(name).second);
      }
    }
    CHECK(all.size() == 100);
  }

  TEST_CASE("a page of living streams is full though buried ones lie between") {
    table_on_catalog all{0};
    const auto bury = [](block_view& block) { block.buries = true; };
    for (const auto* name : {"a", "b", "c", "d", "e"})
      if (const auto id = all.create(name); *name < 'd')
        all.commit(id, 0, bury);
    const auto names = [&](std::size_t count_max, listing which) {
      const auto page = all.table.list({}, {}, count_max, which);
      REQUIRE(page);
      std::string found;
      for (const auto& [name, id] : *page)
        found += name;
      return found;
    };
    for (const auto* where : {"in memory", "in the catalog"}) {
      CAPTURE(where);
      CHECK(names(2, listing::living) == "de");
      CHECK(names(1, listing::living) == "d");
      CHECK(names(10, listing::all) == "abcde");
      all.checkpoint();
    }
    CHECK(all.table.in_memory() == 0);
    CHECK(names(2, listing::living) == "de");
  }
}
