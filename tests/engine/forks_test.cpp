// SPDX-License-Identifier: Apache-2.0
// Forks live on other shards than their sources: whatever crashes in between,
// a fork has what it inherited, and what nobody needs goes.
#include "actors/fork.hpp"
#include "tests/engine/simulated_store.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr std::uint64_t seeds = 1000;
constexpr std::uint64_t hour_ms = 3'600'000;

/// What is known of a stream, whose name is used once.
struct known_stream {
  bool made = false;    ///< Acknowledged.
  bool removed = false; ///< Acknowledged.
  bool doomed = false;  ///< Its removal was asked for.
  std::map<std::uint64_t, std::string> entries; ///< Acknowledged, by sequence.

  /// Up to where all entries are known.
  [[nodiscard]] std::uint64_t end() const {
    std::uint64_t end = 0;
    while (entries.contains(end))
      ++end;
    return end;
  }
};

/// One play of a random workload of forks.
class fork_play {
public:
  explicit fork_play(std::uint64_t seed) : random_(seed), store_(seed) {}
  ~fork_play() { store_.kill(); }

  void play() {
    for (auto phases = 1 + pick(4); phases > 0; --phases) {
      open();
      const auto crashes = pick(2) == 0;
      if (crashes)
        store_.disk->crash_at(1 + pick(60));
      for (auto steps = pick(60); steps > 0; --steps)
        step();
      end_phase(crashes);
    }
    open();
    check_nothing_leaks();
  }

private:
  class then final : public write_sink {
  public:
    explicit then(std::function<void(const write_outcome&)> call)
      : call_(std::move(call)) {}
    void done(std::unique_ptr<write_batch> batch) override {
      const std::unique_ptr<then> last{this};
      if (batch->outcome(0).code == errc{})
        call_(batch->outcome(0));
    }

  private:
    std::function<void(const write_outcome&)> call_;
  };

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

  void open() {
    store_.heal();
    store_.disk->restart();
    REQUIRE(store_.open());
    check();
  }

  /// Some stream that may still be there; the empty string for none.
  std::string any() {
    std::vector<std::string> names;
    for (const auto& [name, known] : streams_)
      if (known.made && !known.doomed)
        names.push_back(name);
    return names.empty() ? "" : names[pick(names.size())];
  }

  std::string fresh() { return fmt::format("s{}", ++named_); }

  void step() {
    const auto dice = pick(100);
    const auto name = dice < 15 ? fresh() : any();
    if (dice < 40 && !name.empty())
      append(name);
    else if (dice < 65 && !name.empty())
      fork(name);
    else if (dice < 85 && !name.empty())
      remove(name);
    else if (dice < 90)
      store_.advance(1 + pick(100));
    else
      store_.run();
    for (auto messages = pick(15); messages > 0 && store_.run_once();)
      --messages;
  }

  void append(const std::string& name) {
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, name});
    const auto payload = fmt::format("{}/{}", name, ++written_);
    batch->add(as_bytes(payload));
    submit(name, std::move(batch), [=, this](const write_outcome& outcome) {
      streams_[name].made = true;
      streams_[name].entries[raw(outcome.first)] = payload;
    });
    streams_[name]; // It may be there from now on.
  }

  void fork(const std::string& source) {
    const auto at = pick(streams_[source].end() + 1);
    const auto name = fresh();
    auto inherited = streams_[source].entries;
    inherited.erase(inherited.lower_bound(at), inherited.end());
    streams_[name];
    fork_request request;
    request.name = name;
    request.source_name = source;
    request.at = sequence{at};
    torpor::fork(store_.running(), std::move(request),
                 [=, this](const result<write_outcome>& made) {
                   if (!made)
                     return;
                   streams_[name].made = true;
                   streams_[name].entries.insert(inherited.begin(),
                                                 inherited.end());
                 });
  }

  void remove(const std::string& name) {
    streams_[name].doomed = true;
    auto batch = std::make_unique<write_batch>();
    batch->control(write_kind::remove, {{}, name});
    submit(name, std::move(batch), [=, this](const write_outcome&) {
      streams_[name].removed = true;
    });
  }

  void submit(const std::string& name, std::unique_ptr<write_batch> batch,
              std::function<void(const write_outcome&)> call) {
    batch->sink(std::make_unique<then>(std::move(call)).release());
    store_.running().submit(store_.running().shard({{}, name}),
                            std::move(batch));
  }

  void end_phase(bool crashes) {
    if (!crashes && pick(2) == 0)
      return store_.stop();
    store_.kill();
    store_.disk->crash();
  }

  result<std::vector<std::string>> read_all(const std::string& name) {
    std::vector<std::string> all;
    read_options wanted;
    wanted.from = read_options::oldest;
    wanted.count_max = static_cast<std::uint32_t>(1 + pick(3));
    for (;;) {
      auto page = store_.read({{}, name}, wanted);
      if (!page)
        return tl::unexpected{page.error()};
      for (const auto& entry : page->entries) {
        CHECK(raw(entry.seq) == all.size());
        all.emplace_back(as_text(entry.payload));
      }
      if (page->next_from == page->next)
        return all;
      wanted.from = page->next_from;
    }
  }

  void check() {
    for (const auto& [name, known] : streams_) {
      CAPTURE(name);
      const auto found = read_all(name);
      if (known.removed) {
        REQUIRE_FALSE(found);
        const auto code = found.error().code;
        CHECK((code == errc::gone || code == errc::not_found));
      } else if (known.made && !known.doomed) {
        REQUIRE_MESSAGE(found, found.error().context);
        for (const auto& [at, payload] : known.entries) {
          REQUIRE(at < found->size());
          CHECK((*found)[at] == payload);
        }
      }
    }
  }

  void list(std::vector<std::string>& names) {
    names.clear();
    for (std::uint32_t i = 0; i < store_.running().shards(); ++i)
      store_.running().ask(i, [&names](stream_table& table) {
        const auto found = table.records().list({}, {}, 1000);
        REQUIRE(found);
        for (const auto& [name, id] : *found)
          names.push_back(name);
      });
    store_.run();
  }

  /// When all forks are gone, so are their sources; a pin that a crash has left
  /// is found out when its stream is looked at again.
  void check_nothing_leaks() {
    std::vector<std::string> names;
    list(names);
    for (const auto& name : names)
      remove(name);
    store_.run();
    for (int i = 0; i < 8; ++i) {
      store_.advance(hour_ms);
      store_.run();
    }
    list(names);
    CHECK(names.empty());
  }

  std::mt19937_64 random_;
  simulated_store store_;
  std::map<std::string, known_stream> streams_;
  std::uint64_t named_ = 0;
  std::uint64_t written_ = 0;
};

} // namespace

TEST_SUITE("forks") {
  TEST_CASE("forks keep what they inherited, and nothing is kept for nobody") {
    const auto* const given = std::getenv("TORPOR_FORK_SEED");
    const auto first = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
    const auto end = given != nullptr ? first + 1 : first + seeds;
    for (auto seed = first; seed < end; ++seed) {
      CAPTURE(seed);
      fork_play{seed}.play();
    }
  }
}
