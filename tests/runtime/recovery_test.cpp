// SPDX-License-Identifier: Apache-2.0
#include "runtime/recovery.hpp"

#include "runtime/catalog.hpp"
#include "tests/support/manual_clock.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

/// A catalog that cannot be read from some stream on.
class broken_reader final : public catalog_reader {
public:
  explicit broken_reader(std::unique_ptr<catalog_reader> real)
    : real_(std::move(real)) {}

  result<std::optional<stream_record>> find(stream_id id) override {
    if (raw(id) >> 8 >= 300)
      return fail(errc::io_failed, "the catalog cannot be read");
    return real_->find(id);
  }
  result<std::optional<stream_id>> find(std::string_view name) override {
    return real_->find(name);
  }
  result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after, std::size_t count_max,
       std::uint32_t shard, std::uint32_t shards) override {
    return real_->list(prefix, after, count_max, shard, shards);
  }
  result<std::vector<stream_review>>
  reviews(stream_review after, stream_review until, std::size_t count_max,
          std::uint32_t shard, std::uint32_t shards) override {
    return real_->reviews(after, until, count_max, shard, shards);
  }

private:
  std::unique_ptr<catalog_reader> real_;
};

/// The tables of four shards and a recovery whose files from 3 on are unsaved.
struct recovering {
  explicit recovering(bool broken = false) {
    stream_table::settings settings;
    settings.shards = 4;
    settings.block_bytes_max = 1u << 20;
    settings.record_cache = 100;
    for (; settings.shard < settings.shards; ++settings.shard) {
      auto reader = stored->reader();
      if (broken)
        reader = std::make_unique<broken_reader>(std::move(reader));
      tables.push_back(std::make_unique<stream_table>(
        settings, std::move(reader), budget, clock));
    }
    run = std::make_unique<recovery>(tables, 3);
  }

  /// Number n of slot `slot`, so that every shard has some.
  static stream_id id(std::uint64_t number, std::uint64_t slot) {
    return stream_id{number << 8 | slot};
  }

  /// A block of two entries, or one that only changes something.
  void add(stream_id stream, std::uint64_t first, std::uint32_t file,
           std::size_t bytes = 10) {
    builder.start(stream, sequence{first});
    if (first == 0)
      builder.create("s/" + std::to_string(raw(stream)));
    const std::string payload(bytes, 'x');
    for (int i = 0; i < 2; ++i)
      builder.add(as_bytes(payload), {}, 1000);
    put(file);
  }

  void put(std::uint32_t file) {
    const auto block = builder.finish();
    run->add(parse_block(block).value(),
             {file, offset, static_cast<std::uint32_t>(block.size())});
    offset += 100;
  }

  /// Puts a stream with these entries into the catalog.
  void save(stream_id stream, std::uint64_t first, std::uint64_t next) {
    std::vector<catalog_change> changes(1);
    changes[0].id = stream;
    auto& record = changes[0].record.emplace();
    record.name = "known";
    record.first = sequence{first};
    record.next = sequence{next};
    REQUIRE(stored->update(changes, std::nullopt));
  }

  stream_table& table(stream_id stream) { return *tables[shard_of(stream, 4)]; }

  const record_row* row(stream_id stream) {
    auto& records = table(stream).records();
    const auto at = records.find(stream);
    REQUIRE(at);
    return *at == record_table::none ? nullptr : &records[*at];
  }

  std::vector<indexed_block> blocks(stream_id stream) {
    return table(stream).index().find(row(stream)->blocks, stream, sequence{},
                                      1u << 30);
  }

  manual_clock clock;
  memory_budget budget{memory_options{}};
  std::unique_ptr<catalog> stored = make_memory_catalog();
  recovery::tables tables;
  std::unique_ptr<recovery> run;
  block_builder builder;
  std::uint32_t offset = 0;
};

} // namespace

TEST_SUITE("recovery") {
  TEST_CASE("a stream's blocks keep their order across chunks and threads") {
    recovering each;
    constexpr std::uint64_t rounds = 1500; // Chunks have 512 blocks.
    for (std::uint64_t i = 0; i < rounds; ++i)
      for (std::uint64_t slot = 0; slot < 4; ++slot)
        each.add(recovering::id(1, slot), 2 * i, 3);
    REQUIRE(each.run->finish());
    CHECK(each.run->replayed() == 4 * 2 * rounds);
    for (std::uint64_t slot = 0; slot < 4; ++slot) {
      const auto stream = recovering::id(1, slot);
      REQUIRE(each.row(stream));
      // Had one come out of turn, those before it would be missing here.
      CHECK(each.row(stream)->record.next == sequence{2 * rounds});
      const auto blocks = each.blocks(stream);
      REQUIRE(blocks.size() == rounds);
      for (std::uint64_t i = 0; i < rounds; ++i)
        REQUIRE(blocks[i].first == sequence{2 * i});
    }
  }

  TEST_CASE("large blocks make small chunks, and none is lost") {
    recovering each;
    for (std::uint64_t i = 0; i < 40; ++i)
      each.add(recovering::id(1, 2), 2 * i, 3, 100'000);
    REQUIRE(each.run->finish());
    CHECK(each.row(recovering::id(1, 2))->record.next == sequence{80});
  }

  TEST_CASE("blocks of saved files are indexed and change no record") {
    recovering each;
    const auto known = recovering::id(1, 0);
    each.save(known, 0, 4);
    each.add(known, 2, 2);
    each.add(recovering::id(2, 0), 0, 2); // Deleted since: no record has it.
    each.add(known, 4, 3);
    REQUIRE(each.run->finish());
    CHECK(each.run->replayed() == 2);
    CHECK(each.row(known)->record.next == sequence{6});
    CHECK(each.blocks(known).size() == 2);
    CHECK(each.row(recovering::id(2, 0)) == nullptr);
  }

  TEST_CASE("a block that the record has already changes nothing") {
    recovering each;
    const auto known = recovering::id(1, 0);
    each.save(known, 5, 10);
    each.add(known, 4, 3);
    each.builder.start(known, sequence{6});
    each.builder.truncate(sequence{3});
    each.put(3);
    REQUIRE(each.run->finish());
    CHECK(each.row(known)->record.next == sequence{10});
    CHECK(each.row(known)->record.first == sequence{5});
  }

  TEST_CASE("a stream that is removed behind its entries is gone") {
    recovering each;
    const auto stream = recovering::id(1, 1);
    each.add(stream, 0, 3);
    each.builder.start(stream, sequence{2});
    each.builder.remove();
    each.put(3);
    REQUIRE(each.run->finish());
    CHECK(each.row(stream) == nullptr);
  }

  TEST_CASE("an error of the catalog ends the recovery with that error") {
    for (const std::uint64_t blocks : {10u, 3000u}) { // Without, with threads.
      recovering each{true};
      for (std::uint64_t i = 0; i < blocks; ++i)
        each.add(recovering::id(295 + i % 10, i % 4), 2 * (i / 40), 3);
      const auto done = each.run->finish();
      REQUIRE_FALSE(done);
      CHECK(done.error().code == errc::io_failed);
      CHECK(done.error().context == "the catalog cannot be read");
    }
  }

  TEST_CASE("a recovery that is given up ends its threads") {
    recovering each;
    for (std::uint64_t i = 0; i < 3000; ++i)
      each.add(recovering::id(1, i % 4), 2 * (i / 4), 3);
    each.run.reset();
    CHECK(each.row(recovering::id(1, 0))->record.next == sequence{1500});
  }
}
