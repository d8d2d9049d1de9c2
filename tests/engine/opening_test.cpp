// SPDX-License-Identifier: Apache-2.0
// Openings of stores that earlier openings did not finish.
#include "tests/engine/simulated_store.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

errc append(simulated_store& store, const std::string& stream) {
  struct answer final : write_sink {
    void done(std::unique_ptr<write_batch> batch) override {
      code = batch->outcome(0).code;
    }
    errc code = errc::shut_down;
  } given;
  auto batch = std::make_unique<write_batch>();
  batch->append({{}, stream});
  batch->add(as_bytes("x"));
  batch->sink(&given);
  store.running().submit(store.running().shard({{}, stream}), std::move(batch));
  store.run();
  return given.code;
}

} // namespace

TEST_SUITE_BEGIN("opening");

TEST_CASE(
  "a store outlives a power cut though its first opening could not make "
  "its name durable") {
  simulated_store store{1};
  store.disk->fail(disk_call::sync_directory, 1, EIO);
  REQUIRE_FALSE(store.open());
  store.disk->restart();
  REQUIRE(store.open());
  REQUIRE(append(store, "a") == errc{});
  store.kill();
  store.disk->crash(unsynced::dropped);
  store.disk->restart();
  const auto again = store.open();
  REQUIRE_MESSAGE(again, again.error().context);
  CHECK(store.read({{}, "a"}, {})->entries.size() == 1);
}

TEST_CASE("a store outlives a power cut though nobody knew for a moment whether "
          "it was used") {
  simulated_store store{1};
  store.disk->fail(disk_call::sync_directory, 1, EIO);
  REQUIRE_FALSE(store.open());
  store.disk->restart();
  store.disk->fail(disk_call::list, 3, EIO); // Of the journal.
  if (store.open())
    store.kill();
  store.disk->crash(unsynced::dropped);
  store.disk->restart();
  const auto again = store.open();
  REQUIRE_MESSAGE(again, again.error().context);
}

TEST_CASE("a store whose making ended anywhere is made whole by the next") {
  bool whole = false;
  for (std::uint64_t nth = 1; !whole; ++nth) {
    CAPTURE(nth);
    simulated_store store{nth};
    store.disk->crash_at(nth);
    whole = store.open().has_value();
    REQUIRE((nth > 5 || !whole));
    store.kill();
    store.disk->crash(unsynced::by_chance);
    store.disk->restart();
    const auto again = store.open();
    REQUIRE_MESSAGE(again, again.error().context);
    CHECK(append(store, "a") == errc{});
  }
}

TEST_SUITE_END();
