// SPDX-License-Identifier: Apache-2.0
// The part of driver that opens, reads and judges.
#include "tests/engine/driver.hpp"

#include <fmt/format.h>

namespace torpor::test {

/// A read beside the work: judged when its answer comes.
class driver::judged_read final : public read_sink {
public:
  judged_read(driver& owner, std::string name, const read_options& asked)
    : owner_(owner),
      name_(std::move(name)),
      asked_(asked) {}

  void done(result<read_page> page) override {
    auto wrong = owner_.history_.judge(name_, asked_, page, owner_.faulty_);
    if (owner_.wrong_.empty())
      owner_.wrong_ = std::move(wrong);
  }

private:
  driver& owner_;
  std::string name_;
  read_options asked_;
};

/// From some place or time, while appends, seals and merges go on.
void driver::read() {
  auto request = std::make_unique<read_request>();
  request->name = name();
  auto& wanted = request->options;
  wanted.from = sequence{pick(history_.end(request->name) + 2)};
  wanted.count_max = static_cast<std::uint32_t>(1 + pick(20));
  if (chance(30))
    wanted.bytes_max = 1 + pick(2000);
  if (chance(30))
    wanted.from_time = store_.clock->wall
                       - static_cast<std::int64_t>(pick(3000));
  request->sink = std::make_unique<judged_read>(*this, request->name, wanted);
  store_.running().submit(std::move(request));
}

std::string driver::reopen() {
  auto& disk = *store_.disk;
  if (!store_.is_open())
    history_.crashed();
  store_.heal();
  // Recovery may be interrupted as well, also several times.
  for (auto tries = pick(3); tries > 0; --tries) {
    disk.restart();
    disk.crash_at(1 + pick(8));
    if (store_.open())
      store_.kill();
    if (chance(60))
      disk.crash();
  }
  store_.heal();
  disk.restart();
  note("opens");
  if (auto opened = store_.open(); !opened)
    return fmt::format("does not open: {}", to_string(opened.error()));
  return check();
}

/// Every sequence from the first to the next one, each once.
result<found_stream> driver::read_all(const stream_info& info) {
  found_stream all{info.id, info.name, info.first, {}};
  read_options wanted;
  wanted.count_max = 7;
  for (wanted.from = info.first;;) {
    auto part = store_.read({info.id, {}}, wanted);
    if (!part)
      return tl::unexpected{part.error()};
    for (const auto& entry : part->entries) {
      if (entry.seq != info.first + all.payloads.size())
        return fail(errc::corrupt,
                    fmt::format("entry {} is in the place of {}",
                                raw(entry.seq),
                                raw(info.first) + all.payloads.size()));
      all.payloads.emplace_back(as_text(entry.payload));
    }
    wanted.from = part->next_from;
    if (wanted.from == part->next && wanted.from == info.next)
      return all;
    if (part->entries.empty())
      return fail(errc::corrupt, fmt::format("it ends at {}, not at {}",
                                             raw(wanted.from), raw(info.next)));
  }
}

/// What was truncated is out of range, and not to be had.
std::string driver::check_before(const stream_info& info) {
  if (info.first == sequence{})
    return {};
  read_options wanted;
  wanted.from = sequence{raw(info.first) - 1};
  const auto refused = store_.read({info.id, {}}, wanted);
  if (!refused && refused.error().code == errc::out_of_range)
    return {};
  return fmt::format("stream '{}' begins at {} and gives an entry before",
                     info.name, raw(info.first));
}

std::string driver::check_stream(const stream_info& info) {
  const auto found = read_all(info);
  if (!found)
    return fmt::format("stream '{}': {}", info.name, to_string(found.error()));
  auto wrong = history_.judge(*found);
  history_.seen(*found);
  return wrong.empty() ? check_before(info) : wrong;
}

std::string driver::check() {
  std::map<stream_id, stream_info> all;
  auto& store = store_.running();
  for (std::uint32_t shard = 0; shard < store.shards(); ++shard)
    store.ask(shard, [&](stream_table& table) {
      const auto found = table.records().list({}, {}, 1000);
      for (const auto& [name, id] : *found)
        if (const auto info = table.info({id, {}}))
          all.emplace(id, *info);
    });
  store_.run();
  for (const auto id : history_.alive())
    if (!all.contains(id))
      return fmt::format("stream {} is gone", raw(id));
  for (const auto& [id, info] : all) {
    if (history_.removed().contains(id))
      return fmt::format("stream '{}' ({}) was deleted and is back", info.name,
                         raw(id));
    if (history_.must_be_closed(id) && !info.closed)
      return fmt::format("stream '{}' was closed and is open again", info.name);
    if (auto wrong = check_stream(info); !wrong.empty())
      return wrong;
  }
  history_.settle();
  const auto broken = store_.disk->violations();
  if (broken.empty())
    return {};
  return fmt::format("broken rule: {}", broken.front());
}

} // namespace torpor::test
