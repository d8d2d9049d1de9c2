// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/simulated_store.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// A store whose deletes are looked at one by one.
class delete_fixture : public simulated_store {
public:
  delete_fixture() : simulated_store{1} { REQUIRE(open()); }

  /// Sends a request, handles all messages and returns the answer.
  errc write(std::unique_ptr<write_batch> batch, std::string_view stream) {
    struct answer final : write_sink {
      void done(std::unique_ptr<write_batch> batch) override {
        code = batch->outcome(0).code;
      }
      errc code = errc::shut_down;
    } given;
    batch->sink(&given);
    running().submit(running().shard({{}, stream}), std::move(batch));
    run();
    return given.code;
  }

  /// Appends one entry of random bytes, which do not compress.
  errc append(const std::string& stream, std::size_t bytes = 8000) {
    std::string payload(bytes, ' ');
    for (auto& each : payload)
      each = static_cast<char>(random_());
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, stream});
    batch->add(as_bytes(payload));
    return write(std::move(batch), stream);
  }

  errc remove(const std::string& stream) {
    auto batch = std::make_unique<write_batch>();
    batch->control(write_kind::remove, {{}, stream});
    return write(std::move(batch), stream);
  }

  /// Appends to that stream until there are so many segments. Returns how many
  /// entries that took.
  std::uint64_t fill(const std::string& stream, std::size_t segments_wanted) {
    std::uint64_t entries = 0;
    for (; segments() < segments_wanted; ++entries) {
      REQUIRE(entries < 1000);
      REQUIRE(append(stream) == errc{});
    }
    return entries;
  }

  std::vector<std::string> list(const std::string& directory) {
    return disk->list(directory).value();
  }

  std::size_t files() { return list("store/segments").size(); }

  /// Leaves room for so many more bytes.
  void leave(std::uint64_t bytes) {
    for (const std::string directory : {"store", "store/journal",
                                        "store/segments"})
      for (const auto& name : list(directory))
        if (const auto opened = disk->open(directory + "/" + name,
                                           open_mode::read))
          bytes += (*opened)->size().value();
    disk->set_capacity(bytes);
  }

  /// Appends until the disk is full.
  void append_until_refused(const std::string& stream) {
    auto last = errc{};
    for (int appends = 0; last == errc{}; ++appends) {
      REQUIRE(appends < 100);
      last = append(stream);
    }
    CHECK(last == errc::io_failed);
  }

  void wait(int seconds) {
    for (; seconds > 0; --seconds) {
      advance(1000);
      run();
    }
  }

  /// Entries in all segments that the catalog knows.
  std::uint64_t sealed_entries() {
    std::uint64_t entries = 0;
    for (const auto& each : state().segments)
      entries += each.entries;
    return entries;
  }

  /// The outcome of a compaction that ran until nothing was left to do.
  std::optional<result<void>> compact() {
    std::optional<result<void>> outcome;
    running().compact([&](const result<void>& now) { outcome = now; });
    run();
    return outcome;
  }

private:
  std::mt19937_64 random_{1};
};

} // namespace

TEST_SUITE_BEGIN("deletes");

TEST_CASE_FIXTURE(delete_fixture, "a compaction sees what was deleted before "
                                  "it, though nothing was sealed since") {
  const auto gone = fill("a", 1);
  fill("b", 6);
  REQUIRE(remove("a") == errc{}); // Too little for a sweep.
  REQUIRE(segments() == 6);
  const auto before = sealed_entries();
  const auto done = compact();
  REQUIRE(done);
  CHECK(*done);
  CHECK(segments() == 1);
  CHECK(files() == 1);
  CHECK(sealed_entries() == before - gone);
}

TEST_CASE_FIXTURE(delete_fixture, "a compaction without segments succeeds") {
  const auto done = compact();
  REQUIRE(done);
  CHECK(*done);
}

TEST_CASE_FIXTURE(delete_fixture, "a compaction ends though appends go on") {
  fill("a", 3);
  std::optional<result<void>> done;
  running().compact([&](const result<void>& outcome) { done = outcome; });
  for (int appends = 0; !done; ++appends) {
    REQUIRE(appends < 100);
    REQUIRE(append("b") == errc{});
  }
  CHECK(*done);
}

TEST_CASE_FIXTURE(delete_fixture, "deletes alone start a sweep once they are a "
                                  "quarter, and not before") {
  fill("a", 1);
  fill("b", 2);
  for (int small = 0; small < 4; ++small)
    REQUIRE(append("few", 10) == errc{});
  const auto unlinks = disk->count(disk_call::unlink);
  REQUIRE(remove("few") == errc{});
  CHECK(segments() == 2);
  CHECK(disk->count(disk_call::unlink) == unlinks);
  REQUIRE(remove("a") == errc{});
  CHECK(segments() == 1);
  CHECK(files() == 1);
}

TEST_CASE_FIXTURE(delete_fixture, "a dead segment goes without a byte being "
                                  "written in its place") {
  fill("a", 1);
  fill("b", 2);
  const auto before = list("store/segments");
  REQUIRE(remove("a") == errc{});
  REQUIRE(remove("b") == errc{});
  CHECK(files() == segments());
  for (const auto& name : list("store/segments"))
    CHECK(std::find(before.begin(), before.end(), name) != before.end());
}

TEST_CASE_FIXTURE(delete_fixture, "what was deleted and not swept is counted "
                                  "over restarts") {
  for (const auto* stream : {"a", "b", "c", "d", "e", "f"})
    fill(stream, segments() + 1);
  REQUIRE(remove("a") == errc{});
  CHECK(segments() == 6);
  SUBCASE("of a store that was closed") {
    stop();
  }
  SUBCASE("of a store that crashed") {
    kill();
    disk->crash();
    disk->restart();
  }
  REQUIRE(open());
  run();
  CHECK(segments() == 6);
  REQUIRE(remove("b") == errc{}); // Only together they are a quarter.
  CHECK(segments() == 4);
}

TEST_CASE_FIXTURE(delete_fixture, "few large entries weigh more than many small "
                                  "ones") {
  fill("a", 1);
  for (int small = 0; small < 20; ++small)
    REQUIRE(append("few", 10) == errc{});
  fill("b", 4);
  const auto before = segments();
  REQUIRE(remove("few") == errc{}); // Most of all entries.
  CHECK(segments() == before);
  REQUIRE(remove("a") == errc{});
  CHECK(segments() < before);
}

TEST_CASE_FIXTURE(delete_fixture, "a short opening leaves merges alone, and a "
                                  "quiet one does them") {
  fill("a", 7);
  leave(300u << 10);
  while (append("a") == errc{})
    ;
  REQUIRE(segments() >= 8);
  stop();
  disk->set_capacity(0);
  REQUIRE(open());
  run();
  CHECK(segments() >= 8);
  CHECK(files() == segments());
  wait(2);
  CHECK(segments() < 8);
}

TEST_CASE_FIXTURE(delete_fixture, "on a full disk deletes make room for "
                                  "appends") {
  fill("a", 1);
  fill("b", 6);
  leave(20'000); // With a segment's bytes enough for a journal file.
  append_until_refused("c");
  wait(2);
  CHECK(append("c") == errc::io_failed);
  REQUIRE(remove("a") == errc{}); // Less than a quarter.
  wait(3);
  CHECK(append("c") == errc{});
  CHECK(append("b") == errc{});
  CHECK(disk->violations().empty());
}

TEST_CASE_FIXTURE(delete_fixture, "a full disk is not searched again while "
                                  "nothing is deleted") {
  fill("a", 1);
  fill("b", 3);
  leave(1000);
  append_until_refused("b");
  wait(2);
  const auto reads = disk->count(disk_call::read);
  const auto all = segments();
  wait(5);
  CHECK(disk->count(disk_call::read) == reads);
  CHECK(segments() == all);
}

TEST_CASE_FIXTURE(delete_fixture, "segments that cannot be opened for want of "
                                  "descriptors are merged when they can be") {
  fill("a", 3);
  stop();
  REQUIRE(open());
  run();
  disk->fail(disk_call::open, 1, EMFILE, true);
  const auto refused = compact();
  REQUIRE(refused);
  CHECK(refused->error().code == errc::io_failed);
  heal();
  const auto done = compact();
  REQUIRE(done);
  CHECK(done->has_value());
  CHECK(segments() == 1);
}

TEST_CASE_FIXTURE(delete_fixture, "segments that the disk does not give are left "
                                  "alone until the next opening") {
  fill("a", 3);
  stop();
  REQUIRE(open());
  run();
  disk->fail(disk_call::read, 1, EIO, true);
  REQUIRE_FALSE(compact()->has_value());
  heal();
  // They are known, and not merged again and again.
  REQUIRE_FALSE(compact()->has_value());
  // Another opening looks again.
  stop();
  REQUIRE(open());
  run();
  REQUIRE(compact()->has_value());
  CHECK(segments() == 1);
}

TEST_CASE_FIXTURE(delete_fixture, "a journal file stays while the segment that was "
                                  "made of it is lost") {
  disk->fail(disk_call::unlink, 1, EIO, true);
  fill("a", 2);
  kill();
  heal();
  const auto oldest = list("store/journal").front();
  const auto path = "store/segments/" + list("store/segments").front();
  SUBCASE("missing") { REQUIRE(disk->unlink(path)); }
  SUBCASE("damaged") {
    const auto file = disk->open(path, open_mode::write).value();
    REQUIRE(file->write(file->size().value() - 8, as_bytes("damaged!")));
  }
  REQUIRE(open());
  run();
  fill("b", segments() + 1); // A checkpoint, which removes what it sealed.
  stop();
  const auto left = list("store/journal");
  CHECK(left.front() == oldest);
  CHECK(left.size() < 5);
}

TEST_CASE_FIXTURE(delete_fixture, "whoever is refused on a full disk finds that "
                                  "the store says so") {
  fill("a", 1);
  leave(1000);
  const auto& journal = running().journal_counts();
  append_until_refused("b");
  CHECK(journal.full);
  REQUIRE(remove("a") == errc{}); // In the reserve.
  CHECK(journal.full);
  disk->set_capacity(0);
  wait(2);
  CHECK_FALSE(journal.full);
  CHECK(append("b") == errc{});
}

TEST_CASE_FIXTURE(delete_fixture, "a prepared file that could not be opened once "
                                  "is opened when it can be") {
  REQUIRE(append("a") == errc{});
  kill(); // A spare file stays behind.
  REQUIRE(open());
  run();
  for (const std::uint64_t nth : {1, 2}) // It is tried again at once.
    disk->fail(disk_call::open, nth, EMFILE);
  CHECK(append("a") == errc::io_failed);
  wait(2);
  CHECK(append("a") == errc{});
}

TEST_CASE_FIXTURE(delete_fixture, "a merge that a full disk has stopped loses "
                                  "nothing and is repeated when there is room") {
  fill("a", 7);
  leave(300u << 10); // For a segment and journal files, not for a merge.
  while (append("a") == errc{})
    ;
  CHECK(files() == segments());
  CHECK(segments() >= 8);
  disk->set_capacity(0);
  wait(3);
  CHECK(files() == segments());
  CHECK(segments() < 8);
  CHECK(append("a") == errc{});
}

TEST_SUITE_END();
