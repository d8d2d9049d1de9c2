// SPDX-License-Identifier: Apache-2.0
#include "runtime/replay.hpp"

#include "runtime/retention.hpp"
#include "runtime/safety_step.hpp"

#include <algorithm>

namespace torpor {

namespace {

auto find(producer_table& producers, std::string_view id) {
  return std::find_if(producers.begin(), producers.end(),
                      [id](const auto& known) { return known.id == id; });
}

void apply_entries(stream_record& record, const block_view& block) {
  if (raw(block.first) < raw(record.next))
    return;
  record.next = block.first + block.count;
  record.kept_bytes = (record.kept_bytes + block.entry_bytes) & kept_bytes_max;
  if (block.count > 0)
    record.last_ms = std::max(record.last_ms, block.last_ms);
  // One without entries has closed the stream: it is the last.
  for (const auto& stamp : block.stamps)
    note_producer(record.producers, stamp);
}

/// A record never has more deleted than it had. Returns the bytes.
std::uint64_t truncate(stream_record& record, sequence before) {
  const auto first = std::clamp(before, record.first, record.next);
  if (first == record.first)
    return 0;
  const std::uint64_t bytes = record.kept_bytes;
  const auto left = bytes_left(bytes, raw(record.next) - raw(first),
                               raw(record.next) - raw(record.first));
  record.first = first;
  record.kept_bytes = left & kept_bytes_max;
  return bytes - left;
}

void create(stream_record& record, const block_view& block) {
  record.name = block.name;
  record.first = record.next = block.first;
  if (!block.content_type.empty())
    settings_of(record).content_type = block.content_type;
  if (block.origin.source != stream_id{})
    settings_of(record).origin = block.origin;
}

void apply(std::vector<fork_pin>& pins, const pin_change& change) {
  std::erase_if(pins, [&](const auto& pin) {
    return pin.number == change.number;
  });
  if (!change.name.empty())
    pins.push_back({change.number, std::string{change.name}});
}

void apply_settings(stream_record& record, const block_view& block) {
  for (const auto& change : block.pins) {
    auto& settings = settings_of(record);
    apply(settings.pins, change);
    settings.pins_made = std::max(settings.pins_made, change.number);
  }
  if (block.buries)
    settings_of(record).buried = true;
  // Orders rise.
  if (!block.order.empty() && block.order > settings_of(record).order)
    settings_of(record).order = block.order;
}

} // namespace

std::uint64_t apply(stream_record& record, const block_view& block) {
  if (block.creates && record.name.empty())
    create(record, block);
  if (block.policy)
    settings_of(record).sync = *block.policy;
  if (block.retention)
    settings_of(record).keep = *block.retention;
  if (block.touched_ms) {
    auto& touched = settings_of(record).touched_ms;
    touched = std::max(touched, *block.touched_ms);
  }
  if (block.closes)
    record.closed = true;
  if (!block.pins.empty() || block.buries || !block.order.empty())
    apply_settings(record, block);
  apply_entries(record, block);
  return block.truncates ? truncate(record, *block.truncates) : 0;
}

void note_producer(std::unique_ptr<producer_table>& producers,
                   const producer_stamp& stamp) {
  if (!producers)
    producers = std::make_unique<producer_table>();
  auto known = find(*producers, stamp.id);
  if (known == producers->end()) {
    if (producers->size() == producers_max)
      producers->erase(producers->begin());
    producers->emplace_back().id = stamp.id;
  } else {
    std::rotate(known, known + 1, producers->end());
  }
  auto& state = producers->back();
  if (state.epoch != stamp.epoch)
    state.answers = {};
  state.epoch = stamp.epoch;
  state.next = stamp.number + 1;
  state.answers[stamp.number % producer_state::answers_max]
    = {stamp.number, stamp.first, stamp.count};
}

const producer_state* find_producer(const producer_table* known,
                                    std::string_view id) {
  if (known != nullptr)
    for (const auto& state : *known)
      if (state.id == id)
        return &state;
  return nullptr;
}

producer_verdict judge(const producer_state* state, std::uint64_t epoch,
                       std::uint64_t number) {
  const auto refuse = [](errc code, std::uint64_t expected) {
    return producer_verdict{producer_verdict::refuse, {}, code, expected};
  };
  if (state == nullptr || epoch > state->epoch)
    return number == 0 ? producer_verdict{} : refuse(errc::conflict, 0);
  if (epoch < state->epoch)
    return refuse(errc::fenced, state->epoch);
  if (number == state->next)
    return {};
  if (number > state->next)
    return refuse(errc::conflict, state->next);
  if (!does(safety_step::deduplication))
    return {};
  const auto& answer = state->answers[number % producer_state::answers_max];
  const auto known = answer.number == number && answer.count > 0;
  return {producer_verdict::duplicate, known ? answer : producer_answer{}, {},
          state->next};
}

} // namespace torpor
