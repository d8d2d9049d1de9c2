// SPDX-License-Identifier: Apache-2.0
// The part of the demo's store that reads everything back.
#include "actors/engine.hpp"
#include "cli/demo_store.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace torpor {

namespace {

constexpr std::uint32_t reads_max = 64; ///< Under way at once.

struct arrived_page {
  std::uint32_t stream;
  result<read_page> page;
};

/// Pages on their way to the thread that checks them.
/// Threads: any; guarded by mutex_.
class page_inbox {
public:
  void put(arrived_page arrived) {
    const std::lock_guard guard{mutex_};
    arrived_.push_back(std::move(arrived));
    filled_.notify_one();
  }

  /// Waits for at least one.
  [[nodiscard]] std::vector<arrived_page> take() {
    std::unique_lock lock{mutex_};
    filled_.wait(lock, [this] { return !arrived_.empty(); });
    return std::exchange(arrived_, {});
  }

private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<arrived_page> arrived_;
};

class page_sink final : public read_sink {
public:
  page_sink(page_inbox& to, std::uint32_t stream) : to_(to), stream_(stream) {}
  void done(result<read_page> page) override {
    to_.put({stream_, std::move(page)});
  }

private:
  page_inbox& to_;
  std::uint32_t stream_;
};

/// Reads every stream from its first entry to its last, several at once.
/// Threads: one owner.
class whole_read {
public:
  whole_read(engine& store, const demo_world& world)
    : engine_(store), world_(world),
      proof_(world.log, world.lines, world.streams) {}

  result<proof_figures> run() {
    while (stream_ < std::min(reads_max, world_.streams))
      read(stream_++, {});
    while (under_way_ > 0) {
      for (const auto& arrived : inbox_.take()) {
        --under_way_;
        take(arrived);
      }
    }
    if (failure_)
      return tl::unexpected{*failure_};
    return proof_.figures();
  }

private:
  /// By name: that names find their streams is to be proved as well.
  void read(std::uint32_t stream, sequence from) {
    auto request = std::make_unique<read_request>();
    request->name = world_.name(stream);
    request->options.from = from;
    request->options.count_max = 10'000;
    request->sink = std::make_unique<page_sink>(inbox_, stream);
    ++under_way_;
    engine_.submit(std::move(request));
  }

  void take(const arrived_page& arrived) {
    const auto& page = arrived.page;
    if (!page) {
      failure_ = page.error();
      return;
    }
    proof_.check(arrived.stream, page->entries);
    if (page->next_from != page->next && !page->entries.empty())
      return read(arrived.stream, page->next_from);
    proof_.finish(arrived.stream);
    if (stream_ < world_.streams && !failure_)
      read(stream_++, {});
  }

  engine& engine_;
  const demo_world& world_;
  demo_proof proof_;
  page_inbox inbox_;
  std::uint32_t stream_ = 0; ///< The next one to begin.
  std::uint32_t under_way_ = 0;
  std::optional<error> failure_;
};

} // namespace

result<proof_figures> prove(const runtime& store, const demo_world& world) {
  return whole_read{*store.engine(), world}.run();
}

} // namespace torpor
