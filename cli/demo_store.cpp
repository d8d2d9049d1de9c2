// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_store.hpp"

#include "actors/engine.hpp"
#include "cli/load_generator.hpp"
#include "cli/seconds.hpp"
#include "cli/stream_maker.hpp"

#include <fmt/format.h>

#include <optional>
#include <thread>

namespace torpor {

namespace {

/// Each stream repeats the lines of its file; a stream at random is next.
/// Threads: one owner.
class line_source final : public load_source {
public:
  line_source(const demo_world& world, const std::vector<stream_id>& ids,
              std::vector<std::uint32_t>& cursors)
    : world_(world), ids_(ids), cursors_(cursors),
      random_(world.log.size() + 1) {}

  std::optional<item> next() override {
    const auto stream = static_cast<std::uint32_t>(random_.below(ids_.size()));
    const auto& files = world_.lines.files();
    const auto& file = files[stream % files.size()];
    const auto line = file.first + cursors_[stream]++ % file.count;
    const auto number = world_.log.sent(stream, line);
    if (!number)
      return std::nullopt;
    return item{ids_[stream], world_.lines.line(line), *number};
  }

  void acknowledged(std::uint64_t tag, const write_outcome& outcome) override {
    world_.log.acknowledged(tag, outcome.first);
  }

private:
  const demo_world& world_;
  const std::vector<stream_id>& ids_;
  std::vector<std::uint32_t>& cursors_; ///< By stream: how far in its file.
  quick_random random_;
};

/// Does what the demo asks. Threads: one owner.
class demo_store {
public:
  demo_store(const demo_world& world, channel& link, runtime store)
    : world_(world), link_(link), store_(std::move(store)) {}

  void serve() {
    auto command = demo_command::close;
    while (link_.receive(command) && obey(command))
      ;
  }

private:
  /// False when it is over.
  bool obey(demo_command command) {
    switch (command) {
      case demo_command::create: return link_.send(create());
      case demo_command::burst: return burst();
      case demo_command::stats: return link_.send(store_.stats());
      case demo_command::rest: return link_.send(rest());
      case demo_command::prove: return link_.send(prove(store_, world_));
      case demo_command::close: break;
    }
    return false;
  }

  result<double> create() {
    const auto start = steady::now();
    auto made = make_streams(*store_.engine(), world_.streams,
                             [this](auto stream) {
                               return world_.name(stream);
                             });
    if (!made)
      return tl::unexpected{made.error()};
    ids_ = std::move(*made);
    cursors_.assign(ids_.size(), 0);
    return seconds_since(start);
  }

  bool burst() {
    std::vector<std::unique_ptr<load_source>> sources;
    sources.push_back(std::make_unique<line_source>(world_, ids_, cursors_));
    load_.emplace(*store_.engine(), load_options{}, std::move(sources));
    return true;
  }

  runtime_stats rest() {
    load_.reset();
    auto stats = store_.stats();
    for (; stats.awake > 0; stats = store_.stats())
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    return stats;
  }

  const demo_world& world_;
  channel& link_;
  runtime store_;
  std::vector<stream_id> ids_;
  std::vector<std::uint32_t> cursors_;
  std::optional<load_generator> load_; ///< Last: it uses all of the above.
};

} // namespace

std::string demo_world::name(std::uint64_t stream) const {
  const auto& files = lines.files();
  return fmt::format("replica-{:05}/{}", stream / files.size(),
                     files[stream % files.size()].name);
}

int run_demo_store(const demo_world& world, channel& link) {
  options how;
  how.data_dir = world.data_dir;
  const auto start = steady::now();
  auto store = runtime::open(std::move(how));
  const auto ms = seconds_since(start) * 1e3;
  const auto told = link.send(store.map([ms](const runtime& opened) {
    return demo_start{ms, opened.stats().replayed_entries};
  }));
  if (!store || !told)
    return 1;
  demo_store{world, link, std::move(*store)}.serve();
  return 0;
}

} // namespace torpor
