// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal_scan.hpp"

#include "tests/support/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <deque>

using namespace torpor;
using namespace torpor::test;

namespace {

using strings = std::vector<std::string>;

/// Many lives of one journal, with everything that can go wrong.
class history : journal_fixture {
public:
  explicit history(std::uint64_t seed)
    : journal_fixture{seed},
      chance_{seed * 7919 + 1} {}

  void run() {
    const auto lives = 3 + chance_.below(5);
    for (std::uint64_t life = 0; life < lives; ++life) {
      begin();
      live();
      end();
    }
    check_recovery();
    for (const auto& broken : disk.violations())
      FAIL_CHECK(broken);
  }

  /// How often each kind of event was met, so that none is missed.
  struct tally {
    int durable = 0, no_room = 0, failed = 0, revived = 0, interrupted = 0;
  };
  [[nodiscard]] const tally& counts() const { return counts_; }

private:
  /// A scan may die or fail too, several times; then it is run again.
  void begin() {
    for (auto tries = chance_.below(3); tries > 0; --tries) {
      plan_failure();
      if (!scan())
        ++counts_.interrupted;
      disk.heal();
      stop_process();
    }
    check_recovery();
    ++config.incarnation;
  }

  void live() {
    for (auto steps = chance_.below(25); steps > 0; --steps) {
      switch (chance_.below(9)) {
        case 0: static_cast<void>(log->mark_idle()); break;
        case 1: prepare_spare(); break;
        case 2: plan_failure(); break;
        case 3: disk.set_capacity(chance_.coin() ? 0 : 200u << 10); break;
        default: commit_some();
      }
    }
    if (chance_.below(4) == 0)
      static_cast<void>(log->finish());
  }

  void end() {
    log.reset();
    disk.heal();
    disk.set_capacity(0);
    stop_process();
  }

  void stop_process() {
    if (chance_.coin())
      disk.restart();
    else
      cut_power();
  }

  void plan_failure() {
    const auto nth = 1 + chance_.below(8);
    const auto call = static_cast<disk_call>(chance_.below(10));
    const auto number = chance_.coin() ? EIO : ENOSPC;
    if (chance_.coin())
      disk.crash_at(nth);
    else
      disk.fail(call, nth, number, chance_.below(8) == 0);
  }

  void prepare_spare() {
    const auto number = log->wants_spare();
    if (number == 0)
      return;
    if (auto made = log->prepare(number))
      log->take_spare(number, std::move(*made));
  }

  /// Commits what is still pending together with new blocks, as a caller
  /// that keeps its blocks does.
  void commit_some() {
    for (auto left = 1 + chance_.below(3); left > 0 && pending_bytes() < 25000;
         --left) {
      const auto bytes = chance_.below(4) == 0 ? chance_.below(20'000)
                                               : chance_.below(300);
      pending_.push_back(block(chance_.below(3), std::string(bytes, 'x')));
      promised_.push_back(told.back());
    }
    std::vector<journal_block*> blocks;
    for (auto& one : pending_)
      blocks.push_back(&one);
    switch (log->commit(blocks)) {
      case commit_outcome::durable:
        ++counts_.durable;
        truth_.insert(truth_.end(), promised_.begin(), promised_.end());
        pending_.clear();
        promised_.clear();
        break;
      case commit_outcome::no_room: ++counts_.no_room; break;
      case commit_outcome::failed: ++counts_.failed; break;
    }
  }

  [[nodiscard]] std::uint64_t pending_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& one : pending_)
      bytes += one.bytes.size();
    return bytes;
  }

  /// Everything acknowledged or once seen is there, in order, once; behind it
  /// at most what was on its way. From now on that was seen, too.
  void check_recovery() {
    const auto scanned = scan();
    REQUIRE_MESSAGE(scanned, scanned.error().context);
    const auto found = texts();
    REQUIRE(found.size() >= truth_.size());
    REQUIRE(std::equal(truth_.begin(), truth_.end(), found.begin()));
    const auto more = found.size() - truth_.size();
    REQUIRE(more <= promised_.size());
    REQUIRE(std::equal(found.end() - static_cast<long>(more), found.end(),
                       promised_.begin()));
    counts_.revived += more > 0;
    truth_ = found;
    pending_.clear();
    promised_.clear();
    next.clear();
    for (const auto& text : truth_)
      ++next[std::stoull(text)];
    log = std::make_unique<journal>(disk, config, scanned->end);
  }

  dice chance_;
  strings truth_;                     ///< Acknowledged or seen.
  std::deque<journal_block> pending_; ///< Not acknowledged yet.
  strings promised_;                  ///< Their texts.
  tally counts_;
};

} // namespace

TEST_SUITE("journal_history") {
  TEST_CASE("whatever fails whenever, what was acknowledged comes back once "
            "and in order") {
    history::tally all;
    for (std::uint64_t seed = 1; seed <= 600; ++seed) {
      CAPTURE(seed);
      history one{seed};
      one.run();
      all.durable += one.counts().durable;
      all.no_room += one.counts().no_room;
      all.failed += one.counts().failed;
      all.revived += one.counts().revived;
      all.interrupted += one.counts().interrupted;
    }
    CHECK(all.durable > 5000);
    CHECK(all.no_room > 300);
    CHECK(all.failed > 300);
    CHECK(all.revived > 100);
    CHECK(all.interrupted > 100);
  }
}
