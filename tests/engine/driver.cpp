// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/driver.hpp"

#include "tests/engine/inspection.hpp"
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <optional>

namespace torpor::test {

/// Notes the answers to batches of one request each.
class driver::answers final : public write_sink {
public:
  explicit answers(driver& owner) : owner_(owner) {}

  void done(std::unique_ptr<write_batch> batch) override {
    const auto tag = batch->requests()[0].tag;
    const auto& outcome = batch->outcome(0);
    owner_.note(fmt::format("  {} -> {} {} {}", tag, to_string(outcome.code),
                            raw(outcome.stream), raw(outcome.first)));
    owner_.history_.answered(tag, outcome);
    owner_.maker_.answered(tag, owner_.history_.at(tag));
  }

private:
  driver& owner_;
};

driver::driver(std::uint64_t seed, bool traced)
  : random_(seed),
    store_(seed),
    answers_(std::make_unique<answers>(*this)),
    traced_(traced) {
  if (traced)
    store_.disk->trace();
  store_.config.sync.max_delay = std::chrono::milliseconds{1 + pick(200)};
  store_.config.sync.linger = std::chrono::milliseconds{chance(30) ? 5 : 0};
  store_.config.sync.window = static_cast<std::uint32_t>(1 + pick(8));
  store_.config.memory.record_cache = static_cast<std::uint32_t>(pick(8));
}

driver::~driver() {
  store_.kill();
}

std::uint64_t driver::pick(std::uint64_t below) {
  return random_() % below;
}

void driver::note(const std::string& line) {
  if (!traced_)
    return;
  note_calls();
  trace_ += line;
  trace_ += '\n';
}

void driver::note_calls() {
  for (const auto& call : store_.disk->take_calls())
    trace_ += "    " + call + '\n';
}

std::string driver::play() {
  auto wrong = play_phases();
  if (traced_)
    note_calls();
  return wrong;
}

std::string driver::play_phases() {
  const auto phases = 2 + pick(3);
  for (std::uint64_t i = 0; i < phases; ++i) {
    if (auto wrong = reopen(); !wrong.empty())
      return wrong;
    retry_producers();
    plan_faults();
    work(20 + pick(60));
    end_phase();
    if (!wrong_.empty())
      return wrong_;
  }
  if (auto wrong = reopen(); !wrong.empty())
    return wrong;
  // Recovering again changes nothing.
  store_.kill();
  if (auto wrong = reopen(); !wrong.empty())
    return wrong;
  return chance(25) ? play_lies() : std::string{};
}

/// What a disk loses that says it has synced: never in silence but at the end.
std::string driver::play_lies() {
  faulty_ = false;
  retry_producers();
  work(10 + pick(30));
  const auto before = history_;
  note("the disk begins to lie");
  store_.disk->lie(static_cast<unsigned>(10 + pick(91)));
  work(20 + pick(60));
  store_.kill();
  store_.disk->crash();
  note("crashed");
  if (!wrong_.empty())
    return wrong_;
  store_.heal();
  history_.distrust(before);
  auto wrong = look_after_lies();
  if (wrong.empty() && store_.is_open()) {
    store_.kill();
    wrong = look_after_lies();
  }
  return wrong;
}

/// Damage may keep the store from opening, if it is named.
std::string driver::look_after_lies() {
  store_.disk->restart();
  note("opens");
  const auto opened = store_.open();
  if (opened)
    return check();
  if (!names_damage(opened.error()))
    return fmt::format("does not open: {}", to_string(opened.error()));
  note(opened.error().context);
  ++named_;
  return {};
}

std::map<std::string, std::uint64_t> driver::mishaps() const {
  const auto disk = store_.disk->mishaps();
  std::map<std::string, std::uint64_t> all{
    {"full disk", disk.full},
    {"lie of a sync", disk.lies},
    {"damage named after lies", named_},
    {"death in a call", disk.deaths},
    {"power cut", disk.power_cuts},
    {"kill", kills_},
    {"failed catalog update", failed_updates_},
    {"jump of the wall clock", wall_jumps_}};
  for (const auto call :
       {disk_call::open, disk_call::write, disk_call::sync, disk_call::read,
        disk_call::truncate, disk_call::rename, disk_call::unlink,
        disk_call::sync_directory, disk_call::list})
    all[fmt::format("failed {}", name_of(call))]
      = disk.failed[static_cast<std::size_t>(call)];
  return all;
}

/// By years, in both directions.
void driver::turn_wall_clock() {
  constexpr std::int64_t year_ms = 365LL * 86'400'000;
  const auto years = static_cast<std::int64_t>(pick(21)) - 10;
  store_.clock->wall += years * year_ms;
  ++wall_jumps_;
  note(fmt::format("the wall clock jumps by {} years", years));
}

void driver::plan_faults() {
  auto& disk = *store_.disk;
  faulty_ = false;
  const auto call = chance(50) ? disk_call::sync : disk_call::write;
  if (chance(25))
    disk.fail(call, 1 + pick(20), chance(50) ? EIO : ENOSPC, chance(20));
  if (chance(10)) {
    disk.fail(disk_call::open, 1 + pick(6), ENOSPC);
    faulty_ = true;
  }
  if (chance(10)) {
    disk.fail(disk_call::read, 1 + pick(20), EIO, chance(20));
    faulty_ = true;
  }
  constexpr std::array rare{disk_call::rename, disk_call::unlink,
                            disk_call::truncate, disk_call::sync_directory,
                            disk_call::list};
  if (chance(15))
    disk.fail(rare[pick(rare.size())], 1 + pick(4), chance(50) ? EIO : ENOSPC,
              chance(30));
  if (chance(10))
    disk.set_capacity(disk.used() + pick(256u << 10));
  if (chance(10))
    store_.fail_update(1 + pick(8), chance(50), [this] { ++failed_updates_; });
  if (chance(60)) {
    disk.crash_at(1 + pick(120));
    faulty_ = true;
  }
}

void driver::work(std::size_t steps) {
  for (std::size_t i = 0; i < steps && store_.is_open(); ++i) {
    step();
    if (!store_.is_open())
      return;
    for (auto messages = pick(12); messages > 0 && store_.run_once();)
      --messages;
    if (chance(10))
      store_.advance(1 + pick(300));
    if (chance(1))
      turn_wall_clock();
  }
}

void driver::step() {
  const auto dice = pick(100);
  if (dice < 65)
    append();
  else if (dice < 76)
    read();
  else if (dice < 80)
    truncate();
  else if (dice < 84)
    control(write_kind::create);
  else if (dice < 86)
    control(write_kind::close);
  else if (dice < 89)
    control(write_kind::remove);
  else if (dice < 91)
    control(write_kind::policy);
  else if (dice < 94)
    control(write_kind::sync);
  else if (dice < 96)
    sync_all();
  else if (dice < 98)
    store_.running().compact([](const result<void>&) {});
  else
    store_.run();
}

void driver::append() {
  send(history_.sent(maker_.append(history_.size())));
}

void driver::control(write_kind kind) {
  send(history_.sent({kind, maker_.name(), ack::durable, {}, {}}));
}

void driver::truncate() {
  send(history_.sent(maker_.truncate(history_)));
}

void driver::send(std::uint64_t tag) {
  const auto& request = history_.at(tag);
  auto batch = to_batch(request, tag);
  batch->sink(answers_.get());
  note(describe(request, tag));
  const auto shard = store_.running().shard({{}, request.stream});
  store_.running().submit(shard, std::move(batch));
}

/// What is buffered before a sync of all shards is durable after it.
void driver::sync_all() {
  struct waits final : write_sink {
    void done(std::unique_ptr<write_batch> batch) override {
      failed = failed || batch->outcome(0).code != errc{};
      --open;
    }
    std::uint32_t open = 0;
    bool failed = false;
  } all;
  store_.run();
  std::vector<std::uint64_t> before;
  for (std::uint64_t tag = 0; tag < history_.size(); ++tag)
    if (history_.at(tag).known == history::fate::buffered)
      before.push_back(tag);
  for (std::uint32_t i = 0; i < store_.running().shards(); ++i) {
    auto batch = std::make_unique<write_batch>();
    batch->control(write_kind::sync, {});
    batch->sink(&all);
    ++all.open;
    store_.running().submit(i, std::move(batch));
  }
  store_.run();
  // A full disk keeps it waiting; time brings the retry.
  for (int i = 0; i < 20 && all.open > 0; ++i) {
    store_.advance(1000);
    store_.run();
  }
  if (all.open > 0)
    store_.kill(); // Its answers come now, before `all` is gone.
  else if (!all.failed)
    history_.synced(before);
}

void driver::retry_producers() {
  for (const auto tag : maker_.open())
    send(tag);
}

void driver::end_phase() {
  if (!store_.is_open())
    return;
  const auto dice = pick(10);
  if (dice < 2) {
    const auto calm = chance(70);
    if (calm)
      store_.heal();
    else if (chance(50))
      store_.disk->fail(disk_call::truncate, 1, EIO);
    store_.advance(2000);
    store_.run();
    store_.stop();
    note("stopped");
    if (!calm)
      history_.crashed();
    return;
  }
  store_.kill();
  if (dice < 8) {
    store_.disk->crash();
    note("crashed");
  } else {
    note("killed");
    ++kills_;
  }
  history_.crashed();
}

} // namespace torpor::test
