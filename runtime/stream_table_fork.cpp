// SPDX-License-Identifier: Apache-2.0
// The part of stream_table for streams that begin with the entries of another.
#include "runtime/batch_cursor.hpp"
#include "runtime/stream_name.hpp"
#include "runtime/stream_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

/// Between two times that a stream with all forks it may have has them looked for.
constexpr std::uint64_t doubt_pause_ms = 60'000;

} // namespace

error stream_table::buried(std::string_view called) {
  return {errc::gone,
          fmt::format("stream '{}' is deleted, but others were forked from it: "
                      "its name is free when they are deleted, too",
                      called)};
}

/// Whether it is deleted and stays for its forks, durably: what readers may be
/// told.
bool stream_table::is_kept_for_forks(record_table::row_index row) const {
  const auto& own = records_[row].record.settings;
  return own && own->buried;
}

/// The same, durable or not.
bool stream_table::is_buried(record_table::row_index row) const {
  const auto awake = records_[row].awake;
  return awake != none ? awake_[awake].buried : is_kept_for_forks(row);
}

/// Whether what comes before its first entry are its source's entries.
bool stream_table::has_inherited(record_table::row_index row) const {
  const auto& record = records_[row].record;
  return record.settings && record.settings->origin.source != stream_id{}
         && record.settings->origin.at == record.first;
}

/// The forks of a stream, durable or not.
const std::vector<fork_pin>&
stream_table::pins(record_table::row_index row) const {
  static const std::vector<fork_pin> none_at_all;
  const auto& dormant = records_[row];
  if (dormant.awake != none && awake_[dormant.awake].pins)
    return *awake_[dormant.awake].pins;
  return dormant.record.settings ? dormant.record.settings->pins : none_at_all;
}

/// The same, to be changed.
std::vector<fork_pin>& stream_table::own_pins(awake_index at) {
  auto& stream = awake_[at];
  if (!stream.pins)
    stream.pins = std::make_unique<std::vector<fork_pin>>(pins(stream.row));
  return *stream.pins;
}

/// The stream is to go: at once, or with its last fork.
void stream_table::end(awake_index at) {
  auto& stream = awake_[at];
  auto& builder = buffer(at);
  if (pins(stream.row).empty()) {
    builder.remove();
    stream.removed = true;
  } else {
    builder.bury();
    builder.touch(clock_.wall_ms()); // Its pins are looked at from then on.
    stream.buried = true;
  }
}

void stream_table::pin(write_batch& batch, std::uint32_t index,
                       const parsed_request& request,
                       record_table::row_index row) {
  if (full_)
    return refuse(batch, index, *full_);
  const auto fork = request.content_type;
  if (auto fits = check_name(fork).and_then([&] {
        return admit_memory(request, row);
      });
      !fits)
    return refuse(batch, index, std::move(fits.error()));
  const auto& record = records_[row].record;
  const auto at_sequence = request.head->expected;
  if (raw(at_sequence) > raw(record.next)
      || (raw(at_sequence) < raw(record.first) && !has_inherited(row)))
    return refuse(batch, index,
                  {errc::out_of_range,
                   fmt::format("stream '{}' has the entries from {} up to {}: "
                               "it cannot be forked at {}",
                               request.called(), raw(record.first),
                               raw(record.next), raw(at_sequence))});
  if (pins(row).size() >= limits::forks_max) {
    // Some may be left from forks that are gone; not each attempt asks for all.
    if (const auto now = clock_.monotonic_ms();
        doubted_at_ == 0 || now - doubted_at_ >= doubt_pause_ms) {
      doubted_at_ = now;
      doubt_pins(row);
    }
    return refuse(batch, index,
                  {errc::too_large,
                   fmt::format("stream '{}' has {} forks, which is the limit",
                               request.called(), limits::forks_max)});
  }
  const auto at = wake(row);
  auto& stream = awake_[at];
  const auto number = ++stream.pins_made;
  own_pins(at).push_back({number, std::string{fork}});
  buffer(at).pin(number, fork);
  charge(at, request.cost);
  fresh_pins_.emplace(raw(stream.id), number);
  batch.promise(index, {{}, false, 0, stream.id, record.next, number, false});
  wait_durable(at, batch, index);
}

void stream_table::unpin(write_batch& batch, std::uint32_t index,
                         const parsed_request& request,
                         record_table::row_index row) {
  const auto number = raw(request.head->expected);
  fresh_pins_.erase({raw(records_[row].id), number});
  const auto has_number = [number](const fork_pin& pin) {
    return pin.number == number;
  };
  batch.promise(index, {{}, false, 0, records_[row].id, {}, number, false});
  const auto& all = pins(row);
  const auto there = std::any_of(all.begin(), all.end(), has_number);
  if (!there && records_[row].awake == none)
    return settle(batch);
  if (auto fits = admit_memory(request, row); there && !fits)
    return refuse(batch, index, std::move(fits.error()));
  const auto at = wake(row);
  if (there) {
    std::erase_if(own_pins(at), has_number);
    buffer(at).pin(number, {});
    if (awake_[at].buried && own_pins(at).empty())
      end(at);
  }
  wait_durable(at, batch, index);
}

void stream_table::settle_pin(const pin_of_fork& pin) {
  fresh_pins_.erase({raw(pin.source), pin.number});
}

bool stream_table::needs(const pin_of_fork& pin) {
  const auto row = records_.find(pin.name);
  if (!row)
    return true; // Nobody knows.
  if (*row == record_table::none)
    return false;
  const auto& own = records_[*row].record.settings;
  return own && own->origin.source == pin.source
         && own->origin.pin == pin.number;
}

/// Asks for the forks of a deleted stream: that one is gone may have got lost.
void stream_table::doubt_pins(record_table::row_index row) {
  const auto id = records_[row].id;
  for (const auto& [number, name] : pins(row))
    if (!fresh_pins_.contains({raw(id), number}))
      out_.doubts.push_back({id, number, name});
}

std::unique_ptr<read_request> to_heir(std::unique_ptr<read_request> request) {
  request->stream = request->heir->stream;
  request->options.from = request->heir->until;
  request->joint = request->heir->until;
  request->heir.reset();
  request->repeated = false;
  return request;
}

std::optional<read_page> for_heir(read_page page, const heir& whom) {
  const auto end = std::find_if(
    page.entries.begin(), page.entries.end(),
    [&](const entry_view& each) { return raw(each.seq) >= raw(whom.until); });
  page.entries.erase(end, page.entries.end());
  if (page.entries.empty())
    return std::nullopt;
  page.next_from = std::min(page.next_from, whom.until);
  page.joint = page.next_from == whom.until;
  page.stream = whom.stream;
  page.next = whom.next;
  page.closed = whom.closed;
  page.content_type = whom.content_type;
  return page;
}

} // namespace torpor
