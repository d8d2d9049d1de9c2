// SPDX-License-Identifier: Apache-2.0
#include "torpor/torpor.hpp"

#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <future>
#include <string>
#include <vector>

namespace {

using namespace torpor;
using torpor::test::scratch_directory;

options small_store(const scratch_directory& place) {
  options wanted;
  wanted.data_dir = place.path() + "/store";
  wanted.journal.file_bytes = 1u << 20;
  wanted.pool.workers = 4;
  wanted.pool.shards = 4;
  return wanted;
}

runtime open_or_fail(const options& wanted) {
  auto opened = runtime::open(wanted);
  REQUIRE_MESSAGE(opened.has_value(), to_string(opened.error()));
  return std::move(*opened);
}

void append(const torpor::stream& to, std::string_view payload) {
  REQUIRE(to.append(as_bytes(payload)).get().has_value());
}

std::string read_all(const torpor::stream& from) {
  std::string all;
  read_options options;
  options.from = read_options::oldest;
  for (;;) {
    const auto page = from.read(options).get();
    REQUIRE_MESSAGE(page.has_value(), to_string(page.error()));
    for (const auto& entry : page->entries)
      all += as_text(entry.payload);
    if (page->next_from == page->next)
      return all;
    options.from = page->next_from;
  }
}

errc info_error(runtime& store, const std::string& name) {
  const auto known = store.stream(name).info().get();
  return known ? errc{} : known.error().code;
}

/// The end of a chain of forks travels from shard to shard: each look at a
/// stream is answered behind what was sent before.
void wait_until_missing(runtime& store, const std::string& name) {
  while (info_error(store, name) != errc::not_found)
    REQUIRE(store.sync().get().has_value());
}

} // namespace

TEST_SUITE_BEGIN("fork");

TEST_CASE("streams of all shards can be forked, also from forks") {
  const scratch_directory place;
  const auto check = [](runtime& store) {
    std::string expected = "root";
    for (int i = 0; i < 10; ++i) {
      expected += std::to_string(i);
      CHECK(read_all(store.stream("f" + std::to_string(i))) == expected);
    }
  };
  {
    auto store = open_or_fail(small_store(place));
    append(store.stream("root"), "root");
    std::string before = "root";
    for (int i = 0; i < 10; ++i) {
      const auto name = "f" + std::to_string(i);
      const auto at = store.stream(before).info().get()->next;
      REQUIRE(store.fork(name, {{}, before}, at).get().has_value());
      append(store.stream(name), std::to_string(i));
      before = name;
    }
    check(store);
  }
  auto store = open_or_fail(small_store(place));
  check(store);
}

TEST_CASE("a fork that cannot be made leaves nothing at its source") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  REQUIRE(store.create("source", {.content_type = "text/plain"}).get());
  REQUIRE(store.create("there").get());
  const auto code = [&](std::string name, std::string_view source,
                        std::uint64_t at, const create_options& how = {}) {
    return store.fork(std::move(name), {{}, source}, sequence{at}, how)
      .get()
      .error()
      .code;
  };
  CHECK(code("there", "source", 0) == errc::already_exists);
  CHECK(code("", "source", 0) == errc::invalid_argument);
  CHECK(code("fork", "source", 1) == errc::out_of_range);
  CHECK(code("fork", "missing", 0) == errc::not_found);
  CHECK(code("fork", "source", 0, {.content_type = "text/html"})
        == errc::mismatch);
  CHECK(store.stream("source").info().get()->forks == 0);
  REQUIRE(store.stream("source").remove().get());
  CHECK(info_error(store, "source") == errc::not_found);
}

TEST_CASE("the last of many forks takes a deleted source along") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  append(store.stream("source"), "x");
  constexpr int forks = 100;
  const auto name = [](int i) { return "fork/" + std::to_string(i); };
  std::vector<std::future<result<stream_id>>> made;
  for (int i = 0; i < forks; ++i)
    made.push_back(store.fork(name(i), {{}, "source"}, sequence{1}));
  for (auto& each : made)
    REQUIRE(each.get().has_value());
  CHECK(store.stream("source").info().get()->forks == forks);
  REQUIRE(store.stream("source").remove().get());
  CHECK(info_error(store, "source") == errc::gone);
  std::vector<std::future<result<void>>> gone;
  for (int i = 1; i < forks; ++i)
    gone.push_back(store.stream(name(i)).remove());
  for (auto& each : gone)
    REQUIRE(each.get().has_value());
  CHECK(read_all(store.stream(name(0))) == "x");
  CHECK(info_error(store, "source") == errc::gone);
  REQUIRE(store.stream(name(0)).remove().get());
  wait_until_missing(store, "source");
}

TEST_CASE("a fork is said to begin where its readers can begin") {
  const scratch_directory place;
  auto store = open_or_fail(small_store(place));
  for (const auto* entry : {"a", "b", "c"})
    append(store.stream("root"), entry);
  REQUIRE(store.fork("middle", {{}, "root"}, sequence{3}).get());
  append(store.stream("middle"), "m");
  REQUIRE(store.fork("leaf", {{}, "middle"}, sequence{2}).get());
  REQUIRE(store.stream("middle").remove().get());
  std::uint64_t inherited = 0;
  const auto first = [&](const char* name) {
    const auto known = store.stream(name).info().get();
    REQUIRE(known);
    CHECK(raw(known->next) - raw(known->first)
          == read_all(store.stream(name)).size());
    inherited = known->inherited();
    return raw(known->first);
  };
  CHECK(first("root") == 0);
  CHECK(inherited == 0);
  CHECK(first("leaf") == 0);
  CHECK(inherited == 2);
  // What the source has no more, its forks have no more.
  REQUIRE(store.stream("root").truncate(sequence{1}).get());
  CHECK(first("leaf") == 1);
  CHECK(inherited == 1);
  REQUIRE(store.stream("root").truncate(sequence{3}).get());
  CHECK(first("leaf") == 2);
  CHECK(inherited == 0);
  // Beyond its place, a fork has nothing of its source.
  REQUIRE(store.fork("other", {{}, "leaf"}, sequence{2}).get());
  append(store.stream("other"), "x");
  append(store.stream("other"), "y");
  REQUIRE(store.stream("other").truncate(sequence{3}).get());
  CHECK(first("other") == 3);
  CHECK(inherited == 0);
}

TEST_CASE("a deleted source is not listed while it stays for its forks") {
  const scratch_directory place;
  const auto names = [](runtime& store, std::size_t count_max) {
    std::string all;
    const auto page = store.list("", "", count_max).get();
    REQUIRE(page);
    for (const auto& [name, id] : *page)
      all += name + " ";
    return all;
  };
  {
    auto store = open_or_fail(small_store(place));
    for (const auto* source : {"a", "b", "c"}) {
      append(store.stream(source), "x");
      REQUIRE(store.fork(std::string{source} + "/fork", {{}, source},
                         sequence{1})
                .get());
    }
    for (const auto* source : {"a", "b"})
      REQUIRE(store.stream(source).remove().get());
    CHECK(names(store, 100) == "a/fork b/fork c c/fork ");
  }
  auto store = open_or_fail(small_store(place));
  CHECK(names(store, 100) == "a/fork b/fork c c/fork ");
  CHECK(names(store, 3) == "a/fork b/fork c ");
}

TEST_CASE("a deleted source whose forks are gone goes after an opening") {
  const scratch_directory place;
  {
    auto store = open_or_fail(small_store(place));
    append(store.stream("source"), "x");
    REQUIRE(store.fork("fork", {{}, "source"}, sequence{1}).get());
    REQUIRE(store.stream("source").remove().get());
  }
  auto store = open_or_fail(small_store(place));
  CHECK(read_all(store.stream("fork")) == "x");
  REQUIRE(store.stream("fork").remove().get());
  wait_until_missing(store, "source");
}

TEST_SUITE_END();
