// SPDX-License-Identifier: Apache-2.0
// Every call that changes the disk and every update of the catalog within one
// step: the power fails before it and behind it, or it fails once.
#include "tests/engine/scripted_store.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <functional>

using namespace torpor;
using namespace torpor::test;

namespace {

/// What is done, and how the store came to where it begins.
struct step {
  std::function<void(scripted_store&)> before;
  std::function<void(scripted_store&)> act;
  std::function<bool(scripted_store&)> done; ///< It was what its name says.
};

/// What goes wrong in the middle of a step.
using mishap = std::function<void(scripted_store&)>;

std::string crash_in(const step& what, const mishap& plan, unsynced fate) {
  scripted_store store;
  what.before(store);
  plan(store);
  what.act(store);
  store.kill();
  store.disk->crash(fate);
  store.heal();
  store.disk->restart();
  if (auto opened = store.open(); !opened)
    return "does not open: " + to_string(opened.error());
  store.run();
  return store.check_all();
}

/// The call fails and the process goes on; in the end it is killed.
std::string fail_in(const step& what, const mishap& plan) {
  scripted_store store;
  what.before(store);
  plan(store);
  what.act(store);
  store.heal();
  if (store.is_open()) {
    if (auto wrong = store.check_entries(); !wrong.empty())
      return wrong;
    if (auto wrong = store.check_works_on(); !wrong.empty())
      return wrong;
    store.kill();
  }
  store.disk->restart();
  if (auto opened = store.open(); !opened)
    return "does not open: " + to_string(opened.error());
  store.run();
  return store.check_all();
}

/// How many calls and updates a step makes when all goes well.
struct extent {
  std::uint64_t changes = 0;
  std::uint64_t updates = 0;
};

extent measure(const step& what) {
  scripted_store store;
  what.before(store);
  const extent start{store.disk->changes(), store.updates()};
  what.act(store);
  REQUIRE(what.done(store));
  return {store.disk->changes() - start.changes,
          store.updates() - start.updates};
}

void crash_everywhere(const step& what) {
  const auto [changes, updates] = measure(what);
  std::size_t points = 0;
  for (const auto fate :
       {unsynced::dropped, unsynced::kept, unsynced::by_chance}) {
    for (std::uint64_t n = 1; n <= changes; ++n)
      for (const auto last : {last_call::undone, last_call::done}) {
        CAPTURE(n);
        CAPTURE(static_cast<int>(last));
        CAPTURE(static_cast<int>(fate));
        const auto plan = [&](auto& store) { store.disk->crash_at(n, last); };
        CHECK(crash_in(what, plan, fate) == "");
        ++points;
      }
    for (std::uint64_t n = 1; n <= updates; ++n)
      for (const auto applied : {false, true}) {
        CAPTURE(n);
        CAPTURE(applied);
        CAPTURE(static_cast<int>(fate));
        const auto plan = [&](auto& store) {
          store.fail_update(n, applied, [&] { store.disk->crash(fate); });
        };
        CHECK(crash_in(what, plan, fate) == "");
        ++points;
      }
  }
  MESSAGE(changes, " calls and ", updates, " updates: ", points, " crashes");
}

void fail_everywhere(const step& what) {
  const auto [changes, updates] = measure(what);
  std::size_t points = 0;
  for (const auto number : {EIO, ENOSPC})
    for (std::uint64_t n = 1; n <= changes; ++n) {
      CAPTURE(n);
      CAPTURE(number);
      const auto plan = [&](auto& store) {
        store.disk->fail_change(n, number);
      };
      CHECK(fail_in(what, plan) == "");
      ++points;
    }
  for (std::uint64_t n = 1; n <= updates; ++n)
    for (const auto applied : {false, true}) {
      CAPTURE(n);
      CAPTURE(applied);
      const auto plan = [&](auto& store) { store.fail_update(n, applied); };
      CHECK(fail_in(what, plan) == "");
      ++points;
    }
  MESSAGE(changes, " calls and ", updates, " updates: ", points, " failures");
}

// -- steps --------------------------------------------------------------------

/// Opens with some segments; a little is left in the journal.
void with_segments(scripted_store& store, std::uint64_t segments) {
  store.must_open();
  REQUIRE(store.append("slow", 100, 20));
  REQUIRE(store.append("gone", 100));
  REQUIRE(store.append_until_sealed(segments));
  REQUIRE(store.append("slow", 100));
}

const step sealing{
  [](scripted_store& store) {
    store.must_open();
    REQUIRE(store.append("slow", 100));
    for (int i = 0; i < 6; ++i)
      REQUIRE(store.append("fill/0", 6000));
    REQUIRE(store.state().segments.empty());
  },
  [](scripted_store& store) {
    static_cast<void>(store.append_until_sealed(1));
  },
  [](scripted_store& store) { return store.state().segments.size() == 1; }};

const step merging{
  [](scripted_store& store) { with_segments(store, 7); },
  [](scripted_store& store) {
    static_cast<void>(store.append_until([&] {
      return store.state().next_segment > 9;
    }));
  },
  [](scripted_store& store) { return store.state().segments.size() == 1; }};

const step compacting{
  [](scripted_store& store) {
    with_segments(store, 4);
    REQUIRE(store.truncate("fill/0", store.next("fill/0") - 2));
    REQUIRE(store.remove("gone"));
  },
  [](scripted_store& store) {
    store.running().compact([](const result<void>&) {});
    store.run();
  },
  [](scripted_store& store) { return store.state().segments.size() == 1; }};

const step stopping_with_a_seal{
  [](scripted_store& store) {
    with_segments(store, 1);
    for (int i = 0; i < 3; ++i)
      REQUIRE(store.append("fill/0", 6000));
    REQUIRE(store.truncate("fill/0", 3));
    REQUIRE(store.remove("gone"));
    REQUIRE(store.state().segments.size() == 1);
  },
  [](scripted_store& store) { store.stop(); },
  [](scripted_store& store) { return store.state().segments.size() == 2; }};

const step stopping_with_little{
  [](scripted_store& store) {
    store.must_open();
    REQUIRE(store.append("slow", 100));
  },
  [](scripted_store& store) { store.stop(); },
  [](scripted_store& store) {
    return store.state().segments.empty() && store.state().journal_first > 1;
  }};

/// Sealed journal files, a segment and a file under preparation that nobody
/// needs.
const step removing_orphans{
  [](scripted_store& store) {
    store.must_open();
    store.disk->fail(disk_call::unlink, 1, EIO, true);
    REQUIRE(store.append("slow", 100));
    REQUIRE(store.append_until_sealed(2));
    store.kill();
    store.heal();
    store.disk->restart();
    for (const auto* path : {"store/segments/0000000099.segment",
                             "store/journal/0000000099.journal.tmp"})
      REQUIRE(store.disk->open(path, open_mode::create));
    REQUIRE(store.disk->sync_directory("store/segments"));
    REQUIRE(store.disk->sync_directory("store/journal"));
  },
  [](scripted_store& store) {
    if (store.open())
      store.run();
  },
  [](scripted_store& store) { return store.check_files().empty(); }};

/// So much was recovered that it is sealed before a file is full.
const step sealing_what_was_recovered{
  [](scripted_store& store) {
    with_segments(store, 1);
    for (int i = 0; i < 3; ++i)
      REQUIRE(store.append("fill/2", 6000));
    REQUIRE(store.state().segments.size() == 1);
    store.kill();
    store.disk->restart();
  },
  [](scripted_store& store) {
    if (store.open())
      store.run();
  },
  [](scripted_store& store) { return store.state().segments.size() == 2; }};

} // namespace

TEST_SUITE("crash_points") {
  TEST_CASE("a store whose first opening failed to sync a name is not lost") {
    for (std::uint64_t nth = 1; nth <= 3; ++nth) {
      simulated_store store{nth};
      store.disk->fail(disk_call::sync_directory, nth, EIO);
      if (store.open())
        store.kill();
      store.heal();
      store.disk->restart();
      REQUIRE(store.open());
      store.run();
      store.stop();
      store.disk->crash(unsynced::dropped);
      store.disk->restart();
      const auto again = store.open();
      REQUIRE_MESSAGE(again, again.error().context);
    }
  }

  TEST_CASE("a crash anywhere in a seal loses nothing") {
    crash_everywhere(sealing);
  }

  TEST_CASE("a crash anywhere in a merge loses nothing") {
    crash_everywhere(merging);
  }

  TEST_CASE("a crash anywhere in a compaction loses nothing") {
    crash_everywhere(compacting);
  }

  TEST_CASE("a crash anywhere in a stop that seals loses nothing") {
    crash_everywhere(stopping_with_a_seal);
  }

  TEST_CASE("a crash anywhere in a stop that saves records loses nothing") {
    crash_everywhere(stopping_with_little);
  }

  TEST_CASE("a crash anywhere in an opening that tidies up loses nothing") {
    crash_everywhere(removing_orphans);
  }

  TEST_CASE("a crash anywhere in an opening that seals loses nothing") {
    crash_everywhere(sealing_what_was_recovered);
  }

  TEST_CASE("any call of a seal may fail once") { fail_everywhere(sealing); }

  TEST_CASE("any call of a merge may fail once") { fail_everywhere(merging); }

  TEST_CASE("any call of a compaction may fail once") {
    fail_everywhere(compacting);
  }

  TEST_CASE("any call of a stop that seals may fail once") {
    fail_everywhere(stopping_with_a_seal);
  }

  TEST_CASE("any call of a stop that saves records may fail once") {
    fail_everywhere(stopping_with_little);
  }

  TEST_CASE("any call of an opening that tidies up may fail once") {
    fail_everywhere(removing_orphans);
  }

  TEST_CASE("any call of an opening that seals may fail once") {
    fail_everywhere(sealing_what_was_recovered);
  }
}
