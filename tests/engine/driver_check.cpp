// SPDX-License-Identifier: Apache-2.0
// The part of driver that opens, reads and judges.
#include "actors/inquiry.hpp"
#include "tests/engine/driver.hpp"
#include "tests/engine/inspection.hpp"
#include "tests/engine/store_view.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>

namespace torpor::test {

namespace {

constexpr std::uint64_t hour_ms = 3'600'000;

} // namespace

/// A read beside the work: judged when its answer comes.
class driver::judged_read final : public read_sink {
public:
  judged_read(driver& owner, std::string name, const read_options& asked)
    : owner_(owner),
      name_(std::move(name)),
      asked_(asked),
      sent_before_(owner.history_.size()) {}

  void done(result<read_page> page) override {
    if (asked_.wait && page && !page->entries.empty())
      owner_.note(happening::woken_reader);
    auto wrong = owner_.history_.judge(name_, asked_, page, owner_.faulty_,
                                       sent_before_);
    if (owner_.wrong_.empty())
      owner_.wrong_ = std::move(wrong);
  }

private:
  driver& owner_;
  std::string name_;
  read_options asked_;
  std::uint64_t sent_before_;
};

/// From some place or time, while appends, seals and merges go on.
void driver::read() {
  auto request = std::make_unique<read_request>();
  request->name = maker_.name();
  auto& wanted = request->options;
  const auto end = history_.end(request->name);
  wanted.from = sequence{pick(end + 2)};
  wanted.count_max = static_cast<std::uint32_t>(1 + pick(20));
  if (chance(30))
    wanted.bytes_max = 1 + pick(2000);
  switch (pick(10)) {
    case 0:
    case 1:
    case 2:
      wanted.from_time = store_.clock->wall
                         - static_cast<std::int64_t>(pick(3000));
      break;
    case 3: wanted.from = read_options::oldest; break;
    case 4: wanted.tail = true; break;
    case 5: wanted.from = sequence{end}; break;
    default: break;
  }
  if ((wanted.tail || wanted.from == sequence{end}) && chance(70)) {
    wanted.wait = true;
    request->ticket = ++tickets_;
  }
  request->sink = std::make_unique<judged_read>(*this, request->name, wanted);
  store_.running().submit(std::move(request));
}

std::string driver::reopen() {
  auto& disk = *store_.disk;
  if (!store_.is_open())
    history_.crashed();
  store_.heal();
  // Recovery may be interrupted as well, also several times, or meet failures.
  constexpr std::array calls{
    disk_call::open,   disk_call::write,          disk_call::sync,
    disk_call::read,   disk_call::truncate,       disk_call::rename,
    disk_call::unlink, disk_call::sync_directory, disk_call::make_directory,
    disk_call::list};
  for (auto tries = pick(3); tries > 0; --tries) {
    disk.restart();
    if (chance(70)) {
      disk.crash_at(1 + pick(8));
      note(happening::death_while_opening);
    } else {
      disk.fail(calls[pick(calls.size())], 1 + pick(4),
                chance(50) ? EIO : ENOSPC);
    }
    note("opens, and something happens");
    if (store_.open())
      store_.kill();
    store_.heal();
    if (chance(60))
      disk.crash();
  }
  disk.restart();
  note(fmt::format("opens at {} ms", store_.clock->wall.load()));
  if (auto opened = store_.open(); !opened)
    return fmt::format("does not open: {}", to_string(opened.error()));
  return check();
}

std::string driver::check() {
  store_view store{store_};
  auto wrong = inspect(store, history_);
  if (traced_ && !wrong.empty())
    for (const auto& info : store.streams())
      note(fmt::format("  '{}' {}: {} to {}", info.name, raw(info.id),
                       raw(info.first), raw(info.next)));
  if (!wrong.empty())
    return wrong;
  const auto broken = store_.disk->violations();
  if (broken.empty())
    return {};
  return fmt::format("broken rule: {}", broken.front());
}

/// In the end nothing stays that is too much. Where few syncs may be in flight
/// few streams are looked at in one go.
std::string driver::check_bounds() {
  constexpr int looks = 20;
  const auto used_ms = history_.latest_ms();
  for (int i = 0; i < 2 * looks; ++i) {
    advance(i % looks == 0 ? hour_ms : 1000);
    store_.run();
  }
  store_view store{store_};
  std::map<stream_id, stream_info> left;
  for (auto& info : store.streams())
    left.emplace(info.id, std::move(info));
  for (const auto& [id, by] : history_.bounded()) {
    const auto& keep = by.keep;
    const auto info = left.find(id);
    if (info == left.end() && (keep.ttl_ms != 0 || keep.expires_ms != 0))
      note(happening::expired_stream);
    if (info != left.end() && keep.entries != 0 && raw(info->second.first) > 0)
      note(happening::retained_entries);
  }
  return inspect_excess(store, history_, used_ms);
}

/// When all forks are gone, so are their sources; a pin that a crash has left
/// is found out when its stream is looked at again.
std::string driver::check_leaks() {
  store_view store{store_};
  for (const auto& [name, id] : store.all(listing::living))
    send(history_.sent({write_kind::remove, name, ack::durable, {}, {}}));
  store_.run();
  for (int i = 0; i < 8; ++i) {
    advance(hour_ms);
    store_.run();
  }
  const auto left = store.all(listing::all);
  if (left.empty())
    return history_.wrong();
  return fmt::format("stream '{}' ({}) stays for nobody", left.front().first,
                     raw(left.front().second));
}

} // namespace torpor::test
