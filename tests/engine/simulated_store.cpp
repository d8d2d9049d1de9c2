// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/simulated_store.hpp"

#include <spdlog/spdlog.h>

#include <optional>

namespace torpor::test {

namespace {

/// Lends a catalog that outlives the store, and lets updates fail as planned.
class lent_catalog final : public catalog {
public:
  lent_catalog(std::shared_ptr<catalog> real,
               std::shared_ptr<catalog_plan> plan)
    : real_(std::move(real)), plan_(std::move(plan)) {}

  std::unique_ptr<catalog_reader> reader() override {
    return real_->reader();
  }
  result<catalog_state> state() override { return real_->state(); }
  result<std::uint64_t> count() override { return real_->count(); }
  result<void> update(std::vector<catalog_change>& changes,
                      std::optional<catalog_state> state) override {
    const auto fails = ++plan_->updates == plan_->fail_at;
    if (!fails || plan_->applied)
      if (auto done = real_->update(changes, state); !done || !fails)
        return done;
    if (plan_->meanwhile)
      plan_->meanwhile();
    return fail(errc::io_failed, "the catalog's disk failed");
  }
  result<std::vector<std::uint64_t>> numbers() override {
    return real_->numbers();
  }

private:
  std::shared_ptr<catalog> real_;
  std::shared_ptr<catalog_plan> plan_;
};

/// Puts a page where it is waited for.
class page_sink final : public read_sink {
public:
  explicit page_sink(std::optional<result<read_page>>& into) : into_(into) {}
  void done(result<read_page> page) override { into_.emplace(std::move(page)); }

private:
  std::optional<result<read_page>>& into_;
};

} // namespace

simulated_store::simulated_store(std::uint64_t seed,
                                 std::shared_ptr<catalog> records)
  : disk(std::make_shared<simulated_disk>(seed)),
    clock(std::make_shared<manual_clock>()),
    catalog_(std::move(records)) {
  config.data_dir = "store";
  config.journal.file_bytes = 64u << 10;
  config.pool.workers = 1;
  config.pool.shards = 2;
  config.pool.readers = 1;
  spdlog::set_level(spdlog::level::off); // Faults are planned here.
}

simulated_store::~simulated_store() {
  kill();
}

environment simulated_store::world() {
  environment world;
  world.disk = disk;
  world.clock = clock;
  world.lock = false;
  world.open_catalog = [this](const std::string&, catalog_access) {
    return result<std::unique_ptr<catalog>>{
      std::make_unique<lent_catalog>(catalog_, plan_)};
  };
  return world;
}

result<std::unique_ptr<store>> simulated_store::inspect() {
  auto one_shard = config; // One table: as for the tool's.
  one_shard.pool.shards = 1;
  return store::open(one_shard, world(), access::inspect);
}

result<void> simulated_store::open() {
  auto opened = store::open(config, world(), access::write);
  if (!opened)
    return tl::unexpected{opened.error()};
  caf_config_ = std::make_unique<caf::actor_system_config>();
  caf_config_->set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(*caf_config_);
  auto started = engine::start(std::move(*opened), {system_.get(), false});
  if (!started)
    return tl::unexpected{started.error()};
  engine_ = *started;
  return {};
}

caf::scheduler::test_coordinator& simulated_store::scheduler() {
  return static_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

void simulated_store::kill() {
  if (!engine_)
    return;
  const auto& all = engine_->actors();
  const auto end = [](const auto& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  };
  for (const auto& each : all.shards)
    end(each);
  for (const auto& each : all.readers)
    end(each);
  end(all.scheduler);
  end(all.journal);
  end(all.sealer);
  end(all.merger);
  scheduler().run();
  engine_.reset();
  system_.reset();
}

bool simulated_store::stop() {
  auto ended = false;
  engine_->stop([&ended] { ended = true; });
  while (!ended && run_once())
    ;
  scheduler().run();
  engine_.reset();
  system_.reset();
  return ended;
}

void simulated_store::fail_update(std::uint64_t nth, bool applied,
                                  std::function<void()> meanwhile) {
  plan_->fail_at = plan_->updates + nth;
  plan_->applied = applied;
  plan_->meanwhile = std::move(meanwhile);
}

void simulated_store::heal() {
  disk->heal();
  plan_->fail_at = 0;
}

result<read_page> simulated_store::read(stream_ref stream,
                                        const read_options& wanted) {
  std::optional<result<read_page>> answer;
  auto request = std::make_unique<read_request>();
  request->stream = stream.id;
  request->name = stream.name;
  request->options = wanted;
  request->sink = std::make_unique<page_sink>(answer);
  engine_->submit(std::move(request));
  while (!answer && run_once())
    ;
  if (!answer)
    return fail(errc::io_failed, "a read got no answer");
  return std::move(*answer);
}

bool simulated_store::run_once() {
  return scheduler().try_run_once();
}

void simulated_store::run() {
  scheduler().run();
}

void simulated_store::advance(std::uint64_t ms) {
  clock->wall += static_cast<std::int64_t>(ms);
  clock->monotonic += ms;
  scheduler().advance_time(std::chrono::milliseconds{ms});
}

} // namespace torpor::test
