// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/driver.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>

namespace torpor::test {

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

happenings driver::happened() const {
  return happened_ | store_.disk->happened();
}

void driver::choose_options() {
  auto& config = store_.config;
  config.sync.max_delay = std::chrono::milliseconds{1 + pick(200)};
  config.sync.linger = std::chrono::milliseconds{chance(30) ? 5 : 0};
  config.sync.window = static_cast<std::uint32_t>(1 + pick(8));
  config.memory.record_cache = static_cast<std::uint32_t>(pick(8));
  config.segments.compression = chance(50) ? 1 : 0;
  config.create_on_append = !chance(10);
  if (chance(20)) {
    config.memory.stream_bytes_max = 64u << 10;
    config.memory.tenant_bytes_max = 128u << 10;
  }
  if (chance(10)) {
    retention_policy keep;
    switch (pick(4)) {
      case 0: keep.age_ms = 1 + pick(5000); break;
      case 1: keep.bytes = 1 + pick(8000); break;
      case 2: keep.ttl_ms = 1 + pick(5000); break;
      default: keep.entries = 1 + pick(30);
    }
    config.retention["some"] = {"t1/s", keep};
    history_.rule("t1/s", keep);
  }
  maker_.widen(chance(40));
}

std::string driver::play() {
  choose_options();
  history_.turned(store_.clock->wall);
  const auto lies = chance(20);
  const auto phases = (lies ? 1 : 2) + pick(3);
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
  if (lies)
    return play_lies();
  if (auto wrong = check_bounds(); !wrong.empty())
    return wrong;
  // Reviews are planned by the wall clock: one that was set back makes them
  // late.
  if (chance(20)
      && !happened_[static_cast<std::size_t>(happening::clock_jump_back)])
    return check_leaks();
  // Recovering again changes nothing.
  store_.kill();
  return reopen();
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
  if (chance(10)) {
    const auto applied = chance(50);
    store_.fail_update(1 + pick(8), applied, [this, applied] {
      note(applied ? happening::applied_checkpoint_that_failed
                   : happening::failed_checkpoint);
    });
  }
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
      advance(1 + pick(300));
    if (chance(1))
      jump();
  }
}

void driver::advance(std::uint64_t ms) {
  store_.advance(ms);
  history_.turned(store_.clock->wall);
}

/// Somebody sets the wall clock, by seconds or by years.
void driver::jump() {
  constexpr std::uint64_t year_ms = 365ull * 24 * 3'600'000;
  const auto far = static_cast<std::int64_t>(
    pick(chance(50) ? 20'000 : 10 * year_ms));
  const auto back = chance(50);
  store_.clock->wall += back ? -far : far;
  history_.turned(store_.clock->wall);
  note(back ? happening::clock_jump_back : happening::clock_jump_forward);
  note(fmt::format("the clock jumps to {} ms", store_.clock->wall.load()));
}

/// Their number falls only when some are merged.
void driver::look_at_segments() {
  const auto now = store_.segments();
  if (now > segments_)
    note(happening::seal);
  if (now < segments_)
    note(happening::merge);
  segments_ = now;
}

/// What is buffered before a clean stop is durable after it. Some stops meet the
/// faults that were planned, or one of their own.
void driver::stop() {
  const auto calm = chance(70);
  if (calm)
    store_.heal();
  else if (chance(50))
    store_.disk->fail(disk_call::truncate, 1, EIO);
  advance(2000);
  store_.run();
  const auto& journal = store_.running().journal_counts();
  const auto sound = calm && !journal.failed && !journal.full;
  std::vector<std::uint64_t> buffered;
  for (std::uint64_t tag = 0; sound && tag < history_.size(); ++tag)
    if (history_.at(tag).known == history::fate::buffered)
      buffered.push_back(tag);
  const auto ended = store_.stop();
  if (!calm || store_.disk->is_dead()) // It stopped what was dead.
    return;
  history_.synced(buffered);
  if (!ended && wrong_.empty())
    wrong_ = "a stop does not end";
}

void driver::end_phase() {
  look_at_segments();
  if (!store_.is_open())
    return;
  const auto dice = pick(10);
  if (dice < 2) {
    stop();
    note(happening::stop);
    note("stopped");
    return;
  }
  store_.kill();
  if (dice < 8) {
    store_.disk->crash();
    note("crashed");
  } else {
    note(happening::kill);
    note("killed");
  }
  history_.crashed();
}

} // namespace torpor::test
