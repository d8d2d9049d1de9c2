// SPDX-License-Identifier: Apache-2.0
// Reads of forks, whose entries two streams have.
#include "actors/fork.hpp"
#include "tests/engine/simulated_store.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

class forking_store : public simulated_store {
public:
  forking_store() : simulated_store{1} { REQUIRE(open()); }

  /// Appends an entry that becomes durable with the next sync.
  void append(const std::string& stream, std::string_view payload) {
    append_options how;
    how.ack = ack::buffered;
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, stream}, how);
    batch->add(as_bytes(payload));
    submit(stream, std::move(batch));
  }

  void sync(const std::string& stream) {
    auto batch = std::make_unique<write_batch>();
    batch->control(write_kind::sync, {{}, stream});
    submit(stream, std::move(batch));
    run();
  }

  void fork(const std::string& name, const std::string& source,
            std::uint64_t at, std::vector<std::string> entries) {
    fork_request request;
    request.name = name;
    request.source_name = source;
    request.at = sequence{at};
    request.entries = std::move(entries);
    auto made = false;
    torpor::fork(running(), std::move(request),
                 [&made](const result<write_outcome>& outcome) {
                   made = outcome.has_value();
                 });
    run();
    REQUIRE(made);
  }

  std::vector<std::string> read(const std::string& name, std::int64_t time_ms) {
    read_options wanted;
    wanted.from_time = time_ms;
    const auto page = simulated_store::read({{}, name}, wanted);
    REQUIRE_MESSAGE(page, page.error().context);
    std::vector<std::string> payloads;
    for (const auto& entry : page->entries)
      payloads.emplace_back(as_text(entry.payload));
    return payloads;
  }

private:
  struct nobody final : write_sink {
    void done(std::unique_ptr<write_batch> batch) override {
      CHECK(batch->outcome(0).code == errc{});
    }
  };

  void submit(const std::string& stream, std::unique_ptr<write_batch> batch) {
    batch->sink(&sink_);
    running().submit(running().shard({{}, stream}), std::move(batch));
  }

  nobody sink_;
};

} // namespace

TEST_SUITE_BEGIN("fork_reads");

TEST_CASE_FIXTURE(
  forking_store,
  "a read by time goes on behind what a fork has inherited, when "
  "the block with that place has nothing for it") {
  // One block: the fork gets its first entry only.
  append("source", "old");
  run();
  clock->wall += 1000;
  const auto later = clock->wall.load();
  append("source", "not inherited");
  sync("source");
  clock->wall += 1000;
  fork("fork", "source", 1, {"own"});
  CHECK(read("fork", later - 1000) == std::vector<std::string>{"old"});
  CHECK(read("fork", later) == std::vector<std::string>{"own"});
}

TEST_SUITE_END();
