// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.hpp"

#include "runtime/segment_files.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

namespace fs = std::filesystem;

/// A data directory on the machine's own disk.
class data_directory {
public:
  result<std::unique_ptr<store>>
  open(torpor::access mode = torpor::access::write) {
    options given;
    given.data_dir = path;
    given.journal.file_bytes = 64u << 10;
    given.pool.workers = 1;
    given.pool.shards = shards;
    return store::open(validate(given).value(), environment::real(), mode);
  }

  std::unique_ptr<store> opened(torpor::access mode = torpor::access::write) {
    auto all = open(mode);
    REQUIRE_MESSAGE(all, all.error().context);
    return std::move(*all);
  }

  errc refused(torpor::access mode = torpor::access::write) {
    const auto all = open(mode);
    REQUIRE_FALSE(all);
    text = all.error().context;
    return all.error().code;
  }

  /// Writes streams "a" to "d" with three entries each, and leaves.
  void fill() {
    const auto all = opened();
    journal log{*all->world.disk, all->journal, all->scan.end};
    for (const auto* name : {"a", "b", "c", "d"}) {
      auto& table = *all->tables[shard_of(std::string_view{name}, shards)];
      auto batch = std::make_unique<write_batch>();
      batch->append({{}, name});
      for (const auto* payload : {"1", "2", "3"})
        batch->add(as_bytes(payload));
      table.write(std::move(batch));
      commit(log, table);
    }
    REQUIRE(log.finish() == commit_outcome::durable);
  }

  void put(const std::string& name, const std::string& content) {
    fs::create_directories(path);
    std::ofstream{path + "/" + name, std::ios::binary} << content;
  }

  /// Every file below the directory with its bytes.
  std::map<std::string, std::string> content() {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator{path})
      if (entry.is_regular_file()) {
        std::ifstream file{entry.path(), std::ios::binary};
        all[entry.path().string()]
          = {std::istreambuf_iterator<char>{file}, {}};
      }
    return all;
  }

  std::vector<fs::path> journal_files() {
    std::vector<fs::path> all;
    for (const auto& entry :
         fs::directory_iterator{journal_directory(path)})
      all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
  }

  scratch_directory scratch;
  std::string path = scratch.path() + "/data";
  std::uint32_t shards = 3;
  std::string text; ///< Of the last refusal.

private:
  /// Plays stream actor, journal and shard.
  static void commit(journal& log, stream_table& table) {
    auto& out = table.out();
    const auto blocks = std::exchange(out.syncs, {});
    std::vector<journal_block*> frame;
    for (auto* block : blocks) {
      block->bytes = block->builder.finish();
      frame.push_back(block);
    }
    REQUIRE(log.commit(frame) == commit_outcome::durable);
    table.committed(blocks);
    for (auto& batch : out.done)
      CHECK(batch->outcome(0).code == errc{});
    out = {};
  }
};

stream_info info_of(store& all, std::string_view name) {
  auto& table = *all.tables[shard_of(name, all.config.pool.shards)];
  const auto known = table.info({{}, name});
  REQUIRE_MESSAGE(known, known.error().context);
  return *known;
}

} // namespace

TEST_SUITE("store") {
  TEST_CASE_FIXTURE(data_directory, "a store is made where nothing is") {
    const auto all = opened();
    CHECK(all->tables.size() == 3);
    CHECK(all->state.incarnation == 1);
    CHECK(all->state.journal_first == 1);
    CHECK(all->replayed_entries == 0);
    CHECK(fs::exists(identity_path(path)));
    CHECK(fs::exists(lock_path(path)));
    CHECK(fs::is_directory(journal_directory(path)));
    CHECK(fs::is_directory(catalog_directory(path)));
  }

  TEST_CASE_FIXTURE(data_directory, "a store is made in an empty directory") {
    fs::create_directories(path);
    opened();
  }

  TEST_CASE_FIXTURE(data_directory,
                    "a store is made where a making was cut off") {
    put("torpor.lock", "1234\n");
    SUBCASE("at its first file") {}
    SUBCASE("in its catalog") { put("catalog/data.mdb.new", "cut off"); }
    SUBCASE("at its last file") {
      fs::create_directories(path);
      REQUIRE(open_lmdb_catalog(catalog_directory(path),
                                catalog_access::create));
      fs::create_directory(journal_directory(path));
      fs::create_directory(segment_directory(path));
      put("torpor.store.tmp", "torpor sto");
    }
    CHECK(refused(torpor::access::inspect) == errc::not_found);
    const auto all = opened();
    CHECK_FALSE(fs::exists(identity_path(path) + ".tmp"));
  }

  TEST_CASE_FIXTURE(data_directory,
                    "a store opened again is the same, counted") {
    const auto id = opened()->journal.store;
    const auto again = opened();
    CHECK(again->journal.store == id);
    CHECK(again->state.incarnation == 2);
    CHECK(again->journal.incarnation == 2);
  }

  TEST_CASE_FIXTURE(data_directory, "a store opened again has its streams") {
    fill();
    for (const std::uint32_t count : {3u, 1u, 7u}) { // Shards may change.
      shards = count;
      const auto all = opened();
      CHECK(all->replayed_entries == 12);
      CHECK(all->scan.damages.empty());
      std::uint64_t blocks = 0;
      for (const auto& table : all->tables)
        blocks += table->index().blocks();
      CHECK(blocks == 4);
      for (const auto* name : {"a", "b", "c", "d"})
        CHECK(info_of(*all, name).next == sequence{3});
    }
  }

  // -- segments ---------------------------------------------------------------

  TEST_CASE_FIXTURE(data_directory,
                    "a catalog that was lost costs no segment") {
    fill();
    const auto segment = segment_directory(path) + "/0000000001.segment";
    put("segments/0000000001.segment", "precious");
    fs::remove_all(catalog_directory(path));
    fs::remove(journal_directory(path) + "/0000000001.journal");
    CHECK(refused() == errc::corrupt);
    CHECK(text.find("restore") != std::string::npos);
    CHECK(fs::exists(segment));
  }

  TEST_CASE_FIXTURE(data_directory,
                    "a directory that is missing is not made by a refusal") {
    fill();
    auto missing = journal_directory(path);
    SUBCASE("journal") {}
    SUBCASE("segments") { missing = segment_directory(path); }
    SUBCASE("catalog") {
      put("segments/0000000001.segment", "precious");
      fs::remove(missing + "/0000000001.journal");
      missing = catalog_directory(path);
    }
    SUBCASE("catalog, and nothing is in segments any more") {
      fs::rename(missing + "/0000000001.journal",
                 missing + "/0000000007.journal");
      missing = catalog_directory(path);
    }
    fs::remove_all(missing);
    for (const auto mode : {torpor::access::write, torpor::access::inspect,
                            torpor::access::write}) {
      CHECK(refused(mode) == errc::corrupt);
      CHECK(text.find("'" + missing) != std::string::npos);
      CHECK(text.find("restore") != std::string::npos);
      CHECK_FALSE(fs::exists(missing));
    }
  }

  TEST_CASE_FIXTURE(data_directory,
                    "a segment that no catalog knows is removed") {
    fill();
    put("segments/0000000009.segment", "cut off");
    put("segments/notes.txt", "mine");
    opened();
    CHECK_FALSE(fs::exists(segment_directory(path) + "/0000000009.segment"));
    CHECK(fs::exists(segment_directory(path) + "/notes.txt"));
  }

  // -- refusals --------------------------------------------------------------

  TEST_CASE_FIXTURE(data_directory, "a foreign directory is left alone") {
    put("precious.txt", "mine");
    const auto before = content();
    for (const auto mode : {torpor::access::write, torpor::access::inspect}) {
      CHECK(refused(mode) == errc::incompatible);
      CHECK(text.find("precious.txt") != std::string::npos);
    }
    CHECK(content() == before);
    CHECK(std::distance(fs::directory_iterator{path}, {}) == 1);
  }

  TEST_CASE_FIXTURE(data_directory,
                    "a store of a newer version is left alone") {
    fill();
    put("torpor.store",
        "torpor store\nformat 2\nid 00112233445566778899aabbccddeeff\n");
    auto before = content();
    CHECK(refused() == errc::incompatible);
    CHECK(text.find("format 2") != std::string::npos);
    CHECK(refused(torpor::access::inspect) == errc::incompatible);
    auto after = content();
    before.erase(lock_path(path)); // Has our process id.
    after.erase(lock_path(path));
    CHECK(after == before);
  }

  TEST_CASE_FIXTURE(data_directory, "garbage for an identity is damage") {
    fill();
    for (const std::string garbage : {"", "garbage\n", "torpor store\n"}) {
      put("torpor.store", garbage);
      CHECK(refused() == errc::corrupt);
      CHECK(refused(torpor::access::inspect) == errc::corrupt);
      CHECK(text.find("torpor.store") != std::string::npos);
    }
  }

  TEST_CASE_FIXTURE(data_directory, "a store without identity is not replaced") {
    fill();
    fs::remove(identity_path(path));
    for (const auto mode : {torpor::access::write, torpor::access::inspect}) {
      CHECK(refused(mode) == errc::corrupt);
      CHECK(text.find("torpor.store") != std::string::npos);
    }
    CHECK_FALSE(fs::exists(identity_path(path)));
  }

  TEST_CASE_FIXTURE(data_directory,
                    "a catalog that was in use makes no new store") {
    opened();
    fs::remove(identity_path(path));
    CHECK(refused() == errc::corrupt);
    CHECK(text.find("torpor.store") != std::string::npos);
    CHECK_FALSE(fs::exists(identity_path(path)));
  }

  TEST_CASE_FIXTURE(data_directory, "a store that has lost all is not empty") {
    opened();
    for (const auto& each : {catalog_directory(path), journal_directory(path),
                             segment_directory(path)})
      fs::remove_all(each);
    for (const auto mode : {torpor::access::write, torpor::access::inspect,
                            torpor::access::write}) {
      CHECK(refused(mode) == errc::corrupt);
      CHECK(text.find("restore") != std::string::npos);
      CHECK_FALSE(fs::exists(catalog_directory(path)));
    }
    CHECK(content().contains(identity_path(path)));
  }

  TEST_CASE_FIXTURE(data_directory, "another store's journal is refused") {
    fill();
    put("torpor.store",
        "torpor store\nformat 1\nid 00112233445566778899aabbccddeeff\n");
    CHECK(refused() == errc::incompatible);
  }

  TEST_CASE_FIXTURE(data_directory, "one opener at a time") {
    auto first = opened();
    CHECK(refused() == errc::locked);
    CHECK(refused(torpor::access::inspect) == errc::locked);
    CHECK(text.find("torpor.lock") != std::string::npos);
    first.reset();
    CHECK(opened()->state.incarnation == 2);
  }

  TEST_CASE_FIXTURE(data_directory, "a refused opening leaves the lock free") {
    fill();
    const auto sound = content()[identity_path(path)];
    put("torpor.store", "garbage");
    CHECK(refused() == errc::corrupt);
    put("torpor.store", sound);
    opened();
  }

  TEST_CASE_FIXTURE(data_directory,
                    "a damaged journal is named and kept as it is") {
    fill();
    const auto files = journal_files();
    REQUIRE_FALSE(files.empty());
    {
      std::fstream file{files[0],
                        std::ios::binary | std::ios::in | std::ios::out};
      file.seekp(4096 + 128 + 20); // In the second frame's first block.
      file.put('\xff');
    }
    const auto before = content()[files[0].string()];
    CHECK(refused() == errc::corrupt);
    CHECK(text.find(files[0].filename().string()) != std::string::npos);
    CHECK(content()[files[0].string()] == before);
    const auto seen = opened(torpor::access::inspect);
    CHECK_FALSE(seen->scan.damages.empty());
  }

  // -- inspection ------------------------------------------------------------

  TEST_CASE_FIXTURE(data_directory,
                    "an inspection sees all and changes nothing") {
    fill();
    auto before = content();
    {
      const auto one = opened(torpor::access::inspect);
      const auto two = opened(torpor::access::inspect); // Beside each other.
      for (const auto* all : {&one, &two}) {
        CHECK(info_of(**all, "a").next == sequence{3});
        CHECK((*all)->state.incarnation == 1);
      }
      CHECK(refused() == errc::locked);
    }
    auto after = content();
    for (auto* all : {&before, &after}) // Only tells who reads.
      all->erase(catalog_directory(path) + "/lock.mdb");
    CHECK(after == before);
    CHECK(opened()->state.incarnation == 2);
  }

  TEST_CASE_FIXTURE(data_directory, "an inspection repairs no torn tail") {
    fill();
    const auto files = journal_files();
    const auto size = fs::file_size(files.back());
    fs::resize_file(files.back(), size - 4096 - 100);
    const auto before = content()[files.back().string()];
    const auto seen = opened(torpor::access::inspect);
    CHECK(content()[files.back().string()] == before);
  }

  TEST_CASE_FIXTURE(data_directory,
                    "inspecting what is not there finds nothing") {
    CHECK(refused(torpor::access::inspect) == errc::not_found);
    CHECK_FALSE(fs::exists(path)); // And makes nothing.
    fs::create_directories(path);
    CHECK(refused(torpor::access::inspect) == errc::not_found);
    CHECK(text.find(path) != std::string::npos);
    CHECK(fs::is_empty(path));
  }

  TEST_CASE_FIXTURE(data_directory, "a segment that the catalog lost sight of "
                                    "keeps its file and its number") {
    {
      const auto all = opened();
      auto state = all->state;
      state.segments.emplace_back().number = 1; // Its file is gone.
      state.segments.emplace_back().number = 2;
      state.next_segment = 3;
      std::vector<catalog_change> nothing;
      REQUIRE(all->records->update(nothing, state));
    }
    put("segments/" + segment_file_name(2), "there");
    put("segments/" + segment_file_name(4), "rewritten by a merge");
    const auto before = content();
    CHECK(opened()->state.next_segment == 5);
    const auto name = segment_directory(path) + "/" + segment_file_name(4);
    CHECK(content().at(name) == before.at(name));
  }

  TEST_CASE_FIXTURE(data_directory,
                    "a file where the directory should be is refused") {
    std::ofstream{path} << "a file";
    CHECK(refused() == errc::io_failed);
    CHECK(text.find(path) != std::string::npos);
  }
}
