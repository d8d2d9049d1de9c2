// SPDX-License-Identifier: Apache-2.0
#include "cli/stream_maker.hpp"

#include "actors/engine.hpp"
#include "cli/batch_sender.hpp"

#include <numeric>
#include <optional>

namespace torpor {

namespace {

constexpr std::uint32_t batch_max = 512;
constexpr std::uint64_t under_way_max = 32'768;

using item_list = std::vector<std::uint64_t>;

/// Sends one request for each of many items; what is refused for lack of room
/// is sent again after the others. Threads: one owner.
class bulk_run {
public:
  explicit bulk_run(engine& to) : sender_(to, batch_max) {}

  /// `fill` adds an item's request to the flight that it opens; `answered`
  /// gets the outcome and may claim a failure as its own by returning true.
  template <class Fill, class Answered>
  result<void> run(item_list items, Fill fill, Answered answered) {
    while (!items.empty() && !failure_) {
      item_list again;
      const auto collect = [&] {
        sender_.collect([&](const flight& back) {
          for (std::size_t i = 0; i < back.items.size(); ++i)
            settle(back, i, again, answered);
        });
      };
      for (const auto item : items) {
        sender_.filled(fill(sender_, item));
        while (sender_.under_way() >= under_way_max)
          collect();
      }
      sender_.flush();
      while (sender_.under_way() > 0)
        collect();
      items = std::move(again);
    }
    return failure_ ? result<void>{tl::unexpected{*failure_}} : result<void>{};
  }

private:
  template <class Answered>
  void settle(const flight& back, std::size_t i, item_list& again,
              Answered answered) {
    const auto& outcome = back.batch->outcome(i);
    if (outcome.code == errc::overloaded)
      again.push_back(back.items[i]);
    else if (!answered(back.items[i], outcome) && outcome.code != errc{}
             && !failure_)
      failure_ = back.batch->failure(i);
  }

  batch_sender sender_;
  std::optional<error> failure_;
};

item_list first(std::uint64_t count) {
  item_list items(count);
  std::iota(items.begin(), items.end(), std::uint64_t{0});
  return items;
}

} // namespace

result<std::vector<stream_id>>
make_streams(engine& store, std::uint64_t count, const stream_namer& name) {
  std::vector<stream_id> ids(count);
  item_list existing;
  bulk_run run{store};
  const auto create = [&](batch_sender& to, std::uint64_t item) -> auto& {
    const auto called = name(item);
    auto& open = to.open({{}, called});
    open.batch->create(called);
    open.items.push_back(item);
    return open;
  };
  // A sync of a stream that sleeps does nothing but tell its id.
  const auto look_up = [&](batch_sender& to, std::uint64_t item) -> auto& {
    const auto called = name(item);
    auto& open = to.open({{}, called});
    open.batch->control(write_kind::sync, {{}, called});
    open.items.push_back(item);
    return open;
  };
  const auto note = [&](std::uint64_t item, const write_outcome& outcome) {
    ids[item] = outcome.stream;
    if (outcome.code == errc::already_exists)
      existing.push_back(item);
    return outcome.code == errc::already_exists;
  };
  return run.run(first(count), create, note)
    .and_then([&] { return run.run(std::move(existing), look_up, note); })
    .map([&] { return std::move(ids); });
}

result<void> append_to_each(engine& store,
                            const std::vector<stream_id>& streams,
                            const payload_maker& payload) {
  const auto fill = [&](batch_sender& to, std::uint64_t item) -> auto& {
    auto& open = to.open({streams[item], {}});
    open.batch->append({streams[item], {}});
    open.batch->add(payload(item));
    open.items.push_back(item);
    return open;
  };
  return bulk_run{store}.run(first(streams.size()), fill,
                             [](std::uint64_t, const write_outcome&) {
                               return false;
                             });
}

result<void> append_to_each(engine& store,
                            const std::vector<stream_id>& streams,
                            bytes_view payload) {
  return append_to_each(store, streams,
                        [payload](std::uint64_t) { return payload; });
}

} // namespace torpor
