// SPDX-License-Identifier: Apache-2.0
// The part of driver that opens, reads and judges.
#include "tests/engine/driver.hpp"
#include "tests/engine/inspection.hpp"

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
  request->name = maker_.name();
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

/// Looks into a simulated store between its messages.
class driver::view final : public inspected {
public:
  explicit view(simulated_store& store) : store_(store) {}

  std::vector<stream_info> streams() override {
    std::vector<stream_info> all;
    for (std::uint32_t shard = 0; shard < store_.running().shards(); ++shard)
      store_.running().ask(shard, [&](stream_table& table) {
        const auto found = table.records().list({}, {}, 1000);
        for (const auto& [name, id] : *found)
          if (const auto info = table.info({id, {}}))
            all.push_back(*info);
      });
    store_.run();
    return all;
  }

  result<read_page> read(stream_ref stream,
                         const read_options& wanted) override {
    return store_.read(stream, wanted);
  }

private:
  simulated_store& store_;
};

std::string driver::check() {
  view store{store_};
  if (auto wrong = inspect(store, history_); !wrong.empty())
    return wrong;
  const auto broken = store_.disk->violations();
  if (broken.empty())
    return {};
  return fmt::format("broken rule: {}", broken.front());
}

} // namespace torpor::test
