// SPDX-License-Identifier: Apache-2.0
// What a journal does with the last room that a disk has.
#include "actors/fork.hpp"
#include "tests/engine/simulated_store.hpp"
#include "tests/engine/store_view.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// A store on a disk that ends where its files end now. Steps of 2,000 bytes lead
/// through all that is left of the journal.
class full_store : public simulated_store {
public:
  full_store() : simulated_store{1} {
    REQUIRE(open());
    run();
  }

  ~full_store() { kill(); } // Answers come before the sinks are gone.

  using answer = std::optional<errc>;

  /// Sends a request; the answer comes when messages are handled.
  const answer& send(const std::string& stream,
                     std::unique_ptr<write_batch> batch) {
    auto& sink = sinks_.emplace_back(std::make_unique<keeper>());
    batch->sink(sink.get());
    running().submit(running().shard({{}, stream}), std::move(batch));
    return sink->code;
  }

  const answer& append(const std::string& stream, std::size_t bytes,
                       ack how = ack::durable) {
    append_options options;
    options.ack = how;
    options.creates = how == ack::durable;
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, stream}, options);
    batch->add(as_bytes(std::string(bytes, 'x')));
    return send(stream, std::move(batch));
  }

  const answer& remove(const std::string& stream) {
    auto batch = std::make_unique<write_batch>();
    batch->control(write_kind::remove, {{}, stream});
    return send(stream, std::move(batch));
  }

  /// Takes so many steps towards the end of the journal; false beyond it.
  bool fill(int steps) {
    disk->set_capacity(disk->used());
    for (int i = 0; i < steps; ++i) {
      const auto& taken = append("fill", 2000);
      run();
      if (taken != errc{})
        return false;
    }
    return true;
  }

private:
  struct keeper final : write_sink {
    void done(std::unique_ptr<write_batch> batch) override {
      code = batch->outcome(0).code;
    }
    answer code;
  };

  std::vector<std::unique_ptr<keeper>> sinks_;
};

/// Whether an append of 24,000 bytes is taken, alone or behind a delete.
bool takes_much(int steps, bool behind_delete) {
  full_store store;
  store.append("gone", 1);
  store.run();
  REQUIRE(store.fill(steps));
  if (behind_delete)
    store.remove("gone");
  const auto& taken = store.append("much", 24'000);
  store.run();
  return taken == errc{};
}

} // namespace

TEST_CASE("entries get no more of a full disk behind a delete than alone") {
  auto taken = 0;
  auto refused = 0;
  for (int steps = 15; steps < 24; ++steps) {
    CAPTURE(steps);
    const auto alone = takes_much(steps, false);
    CHECK((alone || !takes_much(steps, true)));
    ++(alone ? taken : refused);
  }
  CHECK(taken > 0);
  CHECK(refused > 0);
}

TEST_CASE("a fork that is made when a full disk has room again keeps its source") {
  auto refused = 0;
  for (int steps = 0;; ++steps) {
    CAPTURE(steps);
    full_store store;
    store.append("source", 100);
    store.run();
    if (!store.fill(steps))
      break;
    fork_request request;
    request.name = "fork";
    request.source_name = "source";
    request.at = sequence{1};
    request.entries = {std::string(8000, 'a'), std::string(8000, 'b')};
    std::optional<bool> made;
    fork(store.running(), request, [&made](const result<write_outcome>& outcome) {
      made = outcome.has_value();
    });
    // An append that was acknowledged keeps the fork's block, whatever becomes of
    // the create.
    const full_store::answer* kept = nullptr;
    while (!made && store.run_once())
      if (kept == nullptr || (*kept && **kept != errc{}))
        kept = &store.append("fork", 1, ack::buffered);
    store.run();
    store.disk->set_capacity(0);
    for (int i = 0; i < 5; ++i) {
      store.advance(1000);
      store.run();
    }
    refused += made.value_or(false) ? 0 : 1;
    store.remove("source");
    store.run();
    read_options wanted;
    wanted.from = sequence{};
    const auto page = store.read({{}, "fork"}, wanted);
    const auto is_there = page || page.error().code != errc::not_found
                          || page.error().context.find("'fork'")
                               == std::string::npos;
    if (is_there) {
      REQUIRE_MESSAGE(page, page.error().context);
      CHECK_FALSE(page->entries.empty());
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("a pin that a full disk held back does not keep its source for ever") {
  auto refused = 0;
  for (int steps = 0;; ++steps) {
    CAPTURE(steps);
    full_store store;
    store.append("source", 100);
    store.run();
    if (!store.fill(steps))
      break;
    // With the pin they are too much for the room that is left.
    for (int i = 0; i < 4; ++i)
      store.append("source", 3000, ack::buffered);
    fork_request request;
    request.name = "fork";
    request.source_name = "source";
    request.at = sequence{1};
    std::optional<errc> failure;
    fork(store.running(), request, [&](const result<write_outcome>& outcome) {
      failure = outcome ? errc{} : outcome.error().code;
    });
    store.run();
    refused += failure == errc::io_failed ? 1 : 0;
    store.disk->set_capacity(0);
    for (int i = 0; i < 5; ++i) {
      store.advance(1000);
      store.run();
    }
    for (const auto* name : {"fork", "source"}) {
      store.remove(name);
      store.run();
    }
    for (int i = 0; i < 8; ++i) {
      store.advance(3'600'000);
      store.run();
    }
    for (const auto& [name, id] : store_view{store}.all(listing::all))
      CHECK(name == "fill");
  }
  CHECK(refused > 0);
}
