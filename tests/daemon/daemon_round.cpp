// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/daemon_round.hpp"

#include "tests/daemon/client_notes.hpp"
#include "tests/daemon/daemon.hpp"
#include "tests/daemon/daemon_store.hpp"
#include "tests/daemon/reading_client.hpp"
#include "tests/daemon/writing_client.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace torpor::test {

namespace {

using std::chrono::microseconds;

/// Everything happens soon: small journal files, few records in memory, marks
/// after 10 ms.
std::vector<std::string> arguments_for(const std::string& store) {
  const std::vector<std::string_view> options{
    "journal.file-bytes=64KiB", "journal.idle-mark=10ms", "sync.max-delay=5ms",
    "memory.record-cache=4",    "pool.workers=2",         "pool.shards=2",
    "pool.readers=1",           "http.socket=",           "http.threads=2",
    "http.long-poll-timeout=1s", "http.sse-lifetime=200ms"};
  std::vector<std::string> all{"--torpor.data-dir=" + store};
  for (const auto each : options)
    all.push_back(fmt::format("--torpor.{}", each));
  return all;
}

class store_life {
public:
  store_life(const daemon_plan& plan, const std::string& directory)
    : plan_(plan),
      directory_(directory),
      random_(plan.seed),
      notes_(directory + "/requests"),
      daemon_(plan.torpord, arguments_for(directory + "/store"),
              directory + "/log") {}

  void play() {
    start();
    make_clients();
    for (kills_ = 0; kills_ < plan_.kills && good(); ++kills_) {
      work(false);
      if (random_() % 4 == 0)
        kill_starting();
      start();
      notes_.inspect(store());
    }
    if (!good())
      return;
    work(true);
    verify();
    start();
    notes_.inspect(store());
    stop();
    verify();
  }

  [[nodiscard]] daemon_end end() const {
    return {notes_.first_wrong(), kills_, notes_.requests()};
  }

private:
  [[nodiscard]] bool good() const { return notes_.first_wrong().empty(); }

  void start() {
    daemon_.launch();
    daemon_.await_open();
    store_.emplace(daemon_.place());
  }
  daemon_store& store() { return *store_; }

  /// The streams that all of them share, and who writes and reads.
  void make_clients() {
    std::vector<client_notes::known_stream> shared;
    http_streams streams{daemon_.place()};
    for (const std::string name : {"all/s0", "all/s1"}) {
      const auto tag = notes_.sent([&](std::uint64_t) {
        return history::write_request{write_kind::create, name, ack::durable,
                                      {}, {}};
      });
      create_options how;
      how.content_type = "text/plain";
      const auto made = streams.create(name, how).and_then([&] {
        return streams.info({{}, name});
      });
      if (!made)
        throw std::runtime_error{to_string(made.error())};
      notes_.succeeded(tag, made->id);
      shared.push_back({name, made->id});
    }
    for (unsigned i = 0; i < plan_.writers; ++i)
      writers_.push_back(
        std::make_unique<writing_client>(i, random_(), notes_, shared));
    using way = reading_client::way;
    for (const auto how : {way::catch_up, way::long_poll, way::events})
      readers_.push_back(std::make_unique<reading_client>(
        how, random_(), notes_, shared[random_() % shared.size()]));
  }

  /// All work until the daemon's end, at a random moment.
  void work(bool stops) {
    std::vector<std::jthread> threads;
    for (const auto& each : writers_)
      threads.emplace_back([&] { each->work(daemon_.place()); });
    for (const auto& each : readers_)
      threads.emplace_back([&] { each->read(daemon_.place()); });
    std::this_thread::sleep_for(microseconds{random_() % 200'000});
    if (stops)
      stop();
    else
      daemon_.kill();
    threads.clear();
    if (stops)
      notes_.stopped();
    else
      notes_.killed();
  }

  void stop() {
    if (const auto code = daemon_.stop(); code != 0)
      throw std::runtime_error{
        fmt::format("torpord stops with exit code {}", code)};
  }

  /// Killed while it recovers, or soon after.
  void kill_starting() {
    daemon_.launch();
    std::this_thread::sleep_for(microseconds{random_() % 30'000});
    daemon_.kill();
  }

  void verify() {
    if (run_program(plan_.torpor, {"verify", "-d", directory_ + "/store"},
                    directory_ + "/log")
        != 0)
      notes_.wrong("torpor verify finds damage");
  }

  const daemon_plan& plan_;
  std::string directory_;
  std::mt19937_64 random_;
  client_notes notes_;
  daemon daemon_;
  std::optional<daemon_store> store_; ///< Of the daemon's present life.
  std::vector<std::unique_ptr<writing_client>> writers_;
  std::vector<std::unique_ptr<reading_client>> readers_;
  unsigned kills_ = 0;
};

} // namespace

daemon_end play(const daemon_plan& plan, const std::string& directory) {
  std::filesystem::create_directories(directory);
  store_life life{plan, directory};
  try {
    life.play();
  } catch (const std::exception& thrown) {
    auto end = life.end();
    if (end.wrong.empty())
      end.wrong = thrown.what();
    return end;
  }
  return life.end();
}

} // namespace torpor::test
