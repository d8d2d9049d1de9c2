// SPDX-License-Identifier: Apache-2.0
#include "runtime/review_queue.hpp"

#include <doctest/doctest.h>

using namespace torpor;

namespace {

constexpr stream_id id(std::uint64_t number) {
  return stream_id{number << 8};
}

/// A catalog with records that have these reviews.
struct review_fixture {
  void store(stream_review review) {
    stream_record record;
    record.name = std::to_string(raw(review.stream));
    record.settings = std::make_unique<stream_settings>();
    record.settings->review_ms = review.time_ms;
    std::vector<catalog_change> changes(1);
    changes[0].id = review.stream;
    changes[0].record = std::move(record);
    REQUIRE(stored->update(changes, std::nullopt));
  }

  std::vector<stream_id> take(std::int64_t now, std::size_t most = 100) {
    const auto due = queue.take(now, most, *reader);
    REQUIRE(due);
    return *due;
  }

  std::optional<std::int64_t> next() {
    const auto time = queue.next(*reader);
    REQUIRE(time);
    return *time;
  }

  std::unique_ptr<catalog> stored = make_memory_catalog();
  std::unique_ptr<catalog_reader> reader = stored->reader();
  review_queue queue{0, 1};
};

using ids = std::vector<stream_id>;

} // namespace

TEST_SUITE_BEGIN("review_queue");

TEST_CASE_FIXTURE(review_fixture, "reviews are taken in order, each once") {
  store({30, id(1)});
  store({10, id(2)});
  queue.add({20, id(3)});
  CHECK(next() == 10);
  CHECK(take(9).empty());
  CHECK(take(20) == ids{id(2), id(3)});
  CHECK(take(20).empty());
  CHECK(next() == 30);
  CHECK(take(100) == ids{id(1)});
  CHECK(next() == std::nullopt);
}

TEST_CASE_FIXTURE(review_fixture, "no more are taken at once than wanted") {
  for (std::uint64_t i = 1; i <= 10; ++i)
    store({5, id(i)});
  queue.add({5, id(20)});
  CHECK(take(5, 4).size() == 4);
  CHECK(next() == 5);
  CHECK(take(5, 4).size() == 4);
  CHECK(take(5, 4).size() == 3);
  CHECK(take(5, 4).empty());
}

TEST_CASE_FIXTURE(review_fixture, "a saved review is the catalog's alone") {
  queue.add({10, id(1)});
  store({10, id(1)});
  queue.saved({10, id(1)});
  CHECK(take(10) == ids{id(1)});
  CHECK(take(10).empty());
}

TEST_CASE_FIXTURE(review_fixture,
                  "what is saved behind the last one taken is not forgotten") {
  CHECK(take(100).empty());
  queue.add({50, id(1)});
  store({50, id(1)});
  queue.saved({50, id(1)});
  CHECK(next() == 50);
  CHECK(take(100) == ids{id(1)});
}

TEST_CASE_FIXTURE(review_fixture, "it tells when the next one came forward") {
  queue.add({50, id(1)});
  CHECK(queue.earlier());
  CHECK_FALSE(queue.earlier());
  queue.add({60, id(2)});
  CHECK_FALSE(queue.earlier());
  queue.add({40, id(3)});
  CHECK(queue.earlier());
}

TEST_SUITE_END();
