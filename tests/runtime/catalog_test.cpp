// SPDX-License-Identifier: Apache-2.0
#include "runtime/catalog.hpp"

#include "runtime/catalog_values.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <stdlib.h>

// What every catalog promises; lmdb_catalog_test.cpp has the rest.

using namespace torpor;

namespace {

/// The catalog in memory: reopening keeps the object.
class in_memory {
public:
  catalog& get() { return *catalog_; }
  void reopen() {}

private:
  std::unique_ptr<catalog> catalog_ = make_memory_catalog();
};

/// The LMDB catalog in a directory that goes away with its content.
class in_lmdb {
public:
  in_lmdb() {
    auto name = (std::filesystem::temp_directory_path() / "torpor-XXXXXX")
                  .string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    reopen();
  }
  in_lmdb(const in_lmdb&) = delete;
  in_lmdb& operator=(const in_lmdb&) = delete;
  ~in_lmdb() {
    catalog_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  catalog& get() { return *catalog_; }
  void reopen() {
    catalog_.reset();
    auto opened = open_lmdb_catalog(directory_ + "/catalog",
                                    catalog_access::create);
    REQUIRE(opened);
    catalog_ = std::move(*opened);
  }

private:
  std::string directory_;
  std::unique_ptr<catalog> catalog_;
};

constexpr stream_id make_id(std::uint64_t number, std::uint64_t slot) {
  return stream_id{number << 8 | slot};
}

catalog_change put(stream_id id, std::string name, std::uint64_t next = 0) {
  stream_record record;
  record.name = std::move(name);
  record.next = sequence{next};
  return {id, std::move(record)};
}

catalog_change gone(stream_id id) {
  return {id, std::nullopt};
}

template <class... Changes>
void update(catalog& into, Changes... changes) {
  std::vector<catalog_change> list;
  (list.push_back(std::move(changes)), ...);
  REQUIRE(into.update(list, std::nullopt));
}

using names = std::vector<std::string>;

names listed(catalog& from, std::string_view prefix = {},
             std::string_view after = {}, std::size_t count_max = 1'000,
             std::uint32_t shard = 0, std::uint32_t shards = 1) {
  const auto page = from.reader()->list(prefix, after, count_max, shard,
                                        shards);
  REQUIRE(page);
  names found;
  for (const auto& [name, id] : *page)
    found.push_back(name);
  return found;
}

std::optional<stream_id> id_of(catalog& from, std::string_view name) {
  const auto found = from.reader()->find(name);
  REQUIRE(found);
  return *found;
}

/// A stream with a review.
catalog_change reviewed(stream_id id, std::int64_t time_ms) {
  auto change = put(id, std::to_string(raw(id)));
  change.record->settings = std::make_unique<stream_settings>();
  change.record->settings->review_ms = time_ms;
  return change;
}

using reviews = std::vector<stream_review>;

reviews reviews_of(catalog& from, stream_review after, stream_review until,
                   std::size_t count_max = 100, std::uint32_t shard = 0,
                   std::uint32_t shards = 1) {
  const auto found = from.reader()->reviews(after, until, count_max, shard,
                                            shards);
  REQUIRE(found);
  return *found;
}

bool has(catalog& from, stream_id id) {
  const auto found = from.reader()->find(id);
  REQUIRE(found);
  return found->has_value();
}

} // namespace

TEST_CASE_TEMPLATE("reviews are listed by time and move with their records", T,
                   in_memory, in_lmdb) {
  T store;
  const auto a = make_id(1, 0);
  const auto b = make_id(1, 1);
  const auto c = make_id(2, 0);
  constexpr stream_review begin;
  constexpr stream_review end{1'000'000'000'000, stream_id{~0ull}};
  update(store.get(), reviewed(a, 300), reviewed(b, 20), reviewed(c, 300),
         put(make_id(3, 0), "never"));
  store.reopen();
  CHECK(reviews_of(store.get(), begin, end)
        == reviews{{20, b}, {300, a}, {300, c}});
  CHECK(reviews_of(store.get(), begin, {299, stream_id{~0ull}})
        == reviews{{20, b}});
  CHECK(reviews_of(store.get(), {300, a}, end) == reviews{{300, c}});
  CHECK(reviews_of(store.get(), begin, end, 2)
        == reviews{{20, b}, {300, a}});
  CHECK(reviews_of(store.get(), begin, end, 100, 1, 2) == reviews{{20, b}});
  update(store.get(), reviewed(a, 70'000), reviewed(b, 0), gone(c));
  CHECK(reviews_of(store.get(), begin, end) == reviews{{70'000, a}});
  update(store.get(), gone(a));
  CHECK(reviews_of(store.get(), begin, end).empty());
}

TEST_CASE_TEMPLATE("a new catalog is empty", T, in_memory, in_lmdb) {
  T store;
  const auto state = store.get().state();
  REQUIRE(state);
  CHECK(state->journal_first == 1);
  CHECK(state->incarnation == 0);
  CHECK(*store.get().count() == 0);
  CHECK(*store.get().numbers() == std::vector<std::uint64_t>(256));
  CHECK(listed(store.get()).empty());
  CHECK_FALSE(has(store.get(), make_id(1, 0)));
  CHECK_FALSE(id_of(store.get(), "a"));
}

TEST_CASE_TEMPLATE("a record is found by its id and its name", T, in_memory,
                   in_lmdb) {
  T store;
  update(store.get(), put(make_id(1, 7), "a", 42));
  for (int run = 0; run < 2; ++run) {
    const auto record = store.get().reader()->find(make_id(1, 7));
    REQUIRE(record);
    REQUIRE(*record);
    CHECK((*record)->name == "a");
    CHECK((*record)->next == sequence{42});
    CHECK(id_of(store.get(), "a") == make_id(1, 7));
    CHECK(*store.get().count() == 1);
    store.reopen();
  }
}

TEST_CASE_TEMPLATE("changes need not be sorted", T, in_memory, in_lmdb) {
  T store;
  update(store.get(), put(make_id(5, 0), "e"), put(make_id(1, 0), "a"),
         put(make_id(3, 0), "c"));
  update(store.get(), put(make_id(4, 0), "d"), gone(make_id(3, 0)),
         put(make_id(2, 0), "b"));
  CHECK(listed(store.get()) == names{"a", "b", "d", "e"});
  CHECK(*store.get().count() == 4);
}

TEST_CASE_TEMPLATE("of two changes of one stream the later one counts", T,
                   in_memory, in_lmdb) {
  T store;
  update(store.get(), put(make_id(2, 0), "b", 1), put(make_id(1, 0), "a"),
         put(make_id(2, 0), "b", 2), gone(make_id(1, 0)));
  CHECK((*store.get().reader()->find(make_id(2, 0)))->next == sequence{2});
  CHECK_FALSE(has(store.get(), make_id(1, 0)));
  CHECK(listed(store.get()) == names{"b"});
}

TEST_CASE_TEMPLATE("a record is replaced by a longer and a shorter one", T,
                   in_memory, in_lmdb) {
  T store;
  for (std::uint64_t i = 1; i <= 500; ++i)
    update(store.get(), put(make_id(i, 0), "s" + std::to_string(i)));
  for (const auto next : {std::uint64_t{1} << 60, std::uint64_t{3}}) {
    std::vector<catalog_change> changes;
    for (std::uint64_t i = 1; i <= 500; i += 2)
      changes.push_back(put(make_id(i, 0), "s" + std::to_string(i), next));
    REQUIRE(store.get().update(changes, std::nullopt));
    const auto reader = store.get().reader();
    for (std::uint64_t i = 1; i <= 500; ++i)
      CHECK((*reader->find(make_id(i, 0)))->next
            == sequence{i % 2 == 1 ? next : 0});
  }
  CHECK(*store.get().count() == 500);
}

TEST_CASE_TEMPLATE("a reader sees every later update", T, in_memory, in_lmdb) {
  T store;
  const auto reader = store.get().reader();
  for (std::uint64_t next = 1; next < 10; ++next) {
    update(store.get(), put(make_id(1, 0), "a", next));
    CHECK((*reader->find(make_id(1, 0)))->next == sequence{next});
  }
}

TEST_CASE_TEMPLATE("a reader may outlive its catalog", T, in_memory, in_lmdb) {
  std::unique_ptr<catalog_reader> reader;
  {
    T store;
    update(store.get(), put(make_id(1, 0), "a"));
    reader = store.get().reader();
  }
  CHECK(*reader->find("a") == make_id(1, 0));
}

TEST_CASE_TEMPLATE("the state changes with an update that brings one", T,
                   in_memory, in_lmdb) {
  T store;
  catalog_state state;
  state.journal_first = 17;
  state.incarnation = 3;
  state.unsealed_first = 16;
  state.frame_first = 1234;
  state.next_segment = 9;
  state.deleted_bytes = 300;
  for (std::uint32_t i = 1; i < 100; ++i) {
    segment_summary segment;
    segment.number = i;
    segment.journal_first = segment.journal_last = i;
    segment.entries = std::uint64_t{1} << i % 64;
    segment.last_ms = 1'700'000'000'000;
    state.segments.push_back(segment);
  }
  std::vector<catalog_change> none;
  REQUIRE(store.get().update(none, state));
  update(store.get(), put(make_id(1, 0), "a"));
  store.reopen();
  CHECK(*store.get().state() == state);
}

TEST_CASE("a state from before deletes were counted has none") {
  catalog_state state;
  state.segments.resize(2);
  catalog_value body;
  encode(state, body);
  body.pop_back(); // One byte of `deleted_bytes`, 0.
  CHECK(decode_state(body) == state);
  body.pop_back();
  CHECK_FALSE(decode_state(body));
}

TEST_CASE_TEMPLATE("a removed stream is found no more", T, in_memory, in_lmdb) {
  T store;
  update(store.get(), put(make_id(1, 0), "a"), put(make_id(2, 0), "b"));
  update(store.get(), gone(make_id(1, 0)));
  update(store.get(), gone(make_id(1, 0)), gone(make_id(9, 0)));
  CHECK_FALSE(has(store.get(), make_id(1, 0)));
  CHECK_FALSE(id_of(store.get(), "a"));
  CHECK(listed(store.get()) == names{"b"});
  CHECK(*store.get().count() == 1);
}

TEST_CASE_TEMPLATE("a name that went to a new stream stays there", T, in_memory,
                   in_lmdb) {
  const auto old_id = make_id(1, 4);
  const auto new_id = make_id(2, 4);
  T store;
  update(store.get(), put(old_id, "a"));
  SUBCASE("when the old one goes in the same update") {
    update(store.get(), gone(old_id), put(new_id, "a"));
  }
  SUBCASE("when the old one comes second in the same update") {
    update(store.get(), put(new_id, "a"), gone(old_id));
  }
  SUBCASE("when the old one went earlier") {
    update(store.get(), gone(old_id));
    update(store.get(), put(new_id, "a"));
  }
  SUBCASE("when the old one goes later") {
    update(store.get(), put(new_id, "a"));
    CHECK(id_of(store.get(), "a") == new_id);
    update(store.get(), gone(old_id));
  }
  SUBCASE("when the old one is written once more and goes later") {
    update(store.get(), put(new_id, "a"));
    update(store.get(), put(old_id, "a", 1));
    CHECK(id_of(store.get(), "a") == new_id);
    update(store.get(), gone(old_id));
  }
  SUBCASE("when the old one is put first after it") {
    update(store.get(), gone(old_id), put(new_id, "a"));
    update(store.get(), put(old_id, "a", 1));
    CHECK(id_of(store.get(), "a") == new_id);
    update(store.get(), gone(old_id));
  }
  CHECK(id_of(store.get(), "a") == new_id);
  CHECK_FALSE(has(store.get(), old_id));
  CHECK(has(store.get(), new_id));
}

TEST_CASE_TEMPLATE("the number of a slot never falls", T, in_memory, in_lmdb) {
  T store;
  update(store.get(), put(make_id(3, 1), "a"), put(make_id(2, 1), "b"),
         put(make_id(9, 255), "c"));
  update(store.get(), gone(make_id(3, 1)), gone(make_id(9, 255)));
  update(store.get(), put(make_id(1, 1), "d"), gone(make_id(8, 0)));
  store.reopen();
  std::vector<std::uint64_t> expected(256);
  expected[0] = 8; // Created and deleted between two checkpoints.
  expected[1] = 3;
  expected[255] = 9;
  CHECK(*store.get().numbers() == expected);
}

TEST_CASE_TEMPLATE("a list has a prefix, a start, a length and a shard", T,
                   in_memory, in_lmdb) {
  T store;
  update(store.get(), put(make_id(1, 0), "a"), put(make_id(1, 1), "a/1"),
         put(make_id(1, 2), "a/2"), put(make_id(1, 3), "a/3"),
         put(make_id(1, 4), "a0"), put(make_id(1, 5), "b"),
         put(make_id(1, 6), "\xc3\xa4"));
  auto& catalog = store.get();
  CHECK(listed(catalog)
        == names{"a", "a/1", "a/2", "a/3", "a0", "b", "\xc3\xa4"});
  CHECK(listed(catalog, "a/") == names{"a/1", "a/2", "a/3"});
  CHECK(listed(catalog, "a/", "a/1") == names{"a/2", "a/3"});
  CHECK(listed(catalog, "a/", "a/1", 1) == names{"a/2"});
  CHECK(listed(catalog, "a/", "a") == names{"a/1", "a/2", "a/3"});
  CHECK(listed(catalog, "a/", "a/3").empty());
  CHECK(listed(catalog, "a/", "b").empty());
  CHECK(listed(catalog, "", "a00") == names{"b", "\xc3\xa4"});
  CHECK(listed(catalog, "c").empty());
  CHECK(listed(catalog, "", "", 0).empty());
  CHECK(listed(catalog, "", "", 9, 0, 2)
        == names{"a", "a/2", "a0", "\xc3\xa4"});
  CHECK(listed(catalog, "", "", 9, 1, 2) == names{"a/1", "a/3", "b"});
  CHECK(listed(catalog, std::string(600, 'a')).empty());
}

TEST_CASE_TEMPLATE("names that share 500 bytes and more are told apart", T,
                   in_memory, in_lmdb) {
  T store;
  const std::string base(499, 'n');
  std::map<std::string, stream_id> expected;
  std::uint64_t number = 0;
  for (const std::size_t size : {500, 509, 510, 511, 512})
    for (const char last : {' ', 'n', '~', '\x80', '\xf4'}) {
      auto name = base + std::string(size - base.size(), 'n');
      name.back() = last;
      const auto [row, fresh] = expected.emplace(name, make_id(number + 1, 0));
      if (fresh)
        update(store.get(), put(make_id(++number, 0), name));
    }
  const auto check_all = [&] {
    names in_order;
    for (const auto& [name, id] : expected) {
      CHECK(id_of(store.get(), name) == id);
      in_order.push_back(name);
    }
    CHECK(listed(store.get()) == in_order);
    CHECK(listed(store.get(), std::string(511, 'n')).size()
          == static_cast<std::size_t>(
            std::count_if(in_order.begin(), in_order.end(), [](auto& name) {
              return name.starts_with(std::string(511, 'n'));
            })));
    for (std::size_t i = 0; i < in_order.size(); ++i)
      REQUIRE(listed(store.get(), base, in_order[i])
              == names(in_order.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                       in_order.end()));
  };
  check_all();
  while (!expected.empty()) {
    const auto victim = std::next(
      expected.begin(), static_cast<std::ptrdiff_t>(expected.size() / 2));
    update(store.get(), gone(victim->second));
    CHECK_FALSE(id_of(store.get(), victim->first));
    expected.erase(victim);
    check_all();
  }
}

TEST_CASE("both catalogs agree on any history") {
  in_memory memory;
  in_lmdb lmdb;
  std::mt19937 random{7};
  // Few names and long ones, so that they are reused and share keys.
  const auto name_of = [](std::uint64_t i) {
    return std::string(i % 3 == 0 ? 510 : 3, 'x') + std::to_string(i % 40);
  };
  std::uint64_t number = 0;
  std::map<std::string, stream_id> alive;
  for (int round = 0; round < 300; ++round) {
    std::vector<catalog_change> changes;
    std::vector<catalog_change> same;
    const auto change = [&](const std::string& name, stream_id id, bool keep) {
      const auto next = random() % 100'000;
      changes.push_back(keep ? put(id, name, next) : gone(id));
      same.push_back(keep ? put(id, name, next) : gone(id));
    };
    for (int i = 0; i < 10; ++i) {
      const auto name = name_of(random());
      if (const auto row = alive.find(name); row == alive.end()) {
        alive[name] = make_id(++number, 1);
        change(name, alive[name], true);
      } else if (random() % 2 == 0) {
        change(name, row->second, true);
      } else {
        change(name, row->second, false);
        alive.erase(row);
      }
    }
    REQUIRE(memory.get().update(changes, std::nullopt));
    REQUIRE(lmdb.get().update(same, std::nullopt));
    const auto left = memory.get().reader()->list("", "", 100, 0, 1);
    const auto right = lmdb.get().reader()->list("", "", 100, 0, 1);
    REQUIRE(*left == *right);
    CHECK(std::equal(left->begin(), left->end(), alive.begin(), alive.end(),
                     [](auto& a, auto& b) {
                       return a.first == b.first && a.second == b.second;
                     }));
    CHECK(*memory.get().count() == alive.size());
    CHECK(*lmdb.get().count() == alive.size());
    for (const auto& [name, id] : alive)
      CHECK((*memory.get().reader()->find(id))->next
            == (*lmdb.get().reader()->find(id))->next);
    CHECK(*memory.get().numbers() == *lmdb.get().numbers());
  }
}
