// SPDX-License-Identifier: Apache-2.0
#include "runtime/block.hpp"

#include "runtime/assert.hpp"
#include "runtime/safety_step.hpp"
#include "runtime/wire.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fmt/format.h>

#include <limits>

namespace torpor {

namespace {

// Bits of the flags (docs/journal-format.md).
enum : std::uint16_t {
  creates_flag = 1,
  closes_flag = 2,
  removes_flag = 4,
  policy_flag = 8,
  stamps_flag = 16,
  truncates_flag = 32,
  retention_flag = 64,
  touches_flag = 128,
  type_flag = 256,
  order_flag = 512,
  origin_flag = 1024,
  pins_flag = 2048,
  buries_flag = 4096,
  flags_known = 8191,
};

std::uint64_t checksum(bytes_view bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

tl::unexpected<error> damaged(std::string_view what) {
  return fail(errc::corrupt, fmt::format("damaged block: {}", what));
}

sync_policy read_policy(wire_reader& from) {
  sync_policy policy;
  policy.max_delay_ms = static_cast<std::uint32_t>(from.varint());
  policy.max_bytes = static_cast<std::uint32_t>(from.varint());
  policy.linger_ms = static_cast<std::uint32_t>(from.varint());
  return policy;
}

retention_policy read_retention(wire_reader& from) {
  retention_policy policy;
  policy.age_ms = from.varint();
  policy.bytes = from.varint();
  policy.entries = from.varint();
  policy.ttl_ms = from.varint();
  policy.expires_ms = static_cast<std::int64_t>(from.varint());
  return policy;
}

void write(wire_writer& to, const retention_policy& policy) {
  to.varint(policy.age_ms);
  to.varint(policy.bytes);
  to.varint(policy.entries);
  to.varint(policy.ttl_ms);
  to.varint(static_cast<std::uint64_t>(policy.expires_ms));
}

std::vector<producer_stamp> read_stamps(wire_reader& from, sequence first) {
  std::vector<producer_stamp> stamps;
  for (auto left = from.varint(); left > 0 && from.ok(); --left) {
    producer_stamp stamp;
    stamp.id = from.text();
    stamp.epoch = from.varint();
    stamp.number = from.varint();
    stamp.first = first + from.varint();
    stamp.count = static_cast<std::uint32_t>(from.varint());
    stamps.push_back(stamp);
  }
  return stamps;
}

fork_origin read_origin(wire_reader& from, sequence first) {
  fork_origin origin;
  origin.source = stream_id{from.varint()};
  origin.at = first;
  origin.sub = from.varint();
  origin.pin = from.varint();
  return origin;
}

std::vector<pin_change> read_pins(wire_reader& from) {
  std::vector<pin_change> pins;
  for (auto left = from.varint(); left > 0 && from.ok(); --left) {
    const auto number = from.varint();
    pins.push_back({number, from.text()});
  }
  return pins;
}

/// Milliseconds from the one time to the other, which is not before it.
std::uint64_t distance(std::int64_t from, std::int64_t to) noexcept {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

bool are_properties(bytes_view encoded) noexcept {
  wire_reader from{encoded};
  while (!from.rest().empty()) {
    static_cast<void>(from.text());
    static_cast<void>(from.text());
  }
  return from.ok();
}

/// Whether a block's texts are such that the stream's record can hold them.
bool has_sound_texts(const block_view& block) noexcept {
  const auto is_id = [](const producer_stamp& stamp) {
    return !stamp.id.empty() && stamp.id.size() <= limits::producer_id_bytes_max;
  };
  const auto is_name = [](const pin_change& pin) {
    return pin.name.size() <= limits::name_bytes_max;
  };
  return block.creates != block.name.empty()
         && block.name.size() <= limits::name_bytes_max
         && block.content_type.size() <= limits::content_type_bytes_max
         && block.order.size() <= limits::order_bytes_max
         && std::all_of(block.stamps.begin(), block.stamps.end(), is_id)
         && std::all_of(block.pins.begin(), block.pins.end(), is_name);
}

/// Whether a block's head can be true, as far as it shows.
bool plausible(const block_view& block, std::uint64_t count) noexcept {
  constexpr std::uint64_t entry_bytes_min = 2;
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  return count <= std::numeric_limits<std::uint32_t>::max()
         && count <= block.entries.size() / entry_bytes_min
         && (count > 0 || block.entries.empty())
         && count <= most - raw(block.first)
         && block.first_ms <= block.last_ms && has_sound_texts(block);
}

} // namespace

std::uint32_t claimed_block_bytes(bytes_view bytes) noexcept {
  if (bytes.size() < block_head_bytes)
    return 0;
  const auto claimed = wire_reader{bytes}.u32();
  return claimed < block_head_bytes || claimed > bytes.size() ? 0 : claimed;
}

result<block_view> parse_block(bytes_view bytes) {
  if (bytes.empty() || claimed_block_bytes(bytes) != bytes.size())
    return damaged("its size is wrong");
  wire_reader from{bytes.subspan(4)};
  const auto stated = from.u64();
  if (does(safety_step::block_checksum) && checksum(from.rest()) != stated)
    return damaged("its checksum is wrong");
  block_view block;
  block.stream = stream_id{from.varint()};
  const auto flags = from.varint();
  block.first = sequence{from.varint()};
  const auto count = from.varint();
  block.count = static_cast<std::uint32_t>(count);
  const auto first_ms = from.varint();
  block.first_ms = static_cast<std::int64_t>(first_ms);
  block.last_ms = static_cast<std::int64_t>(first_ms + from.varint());
  block.creates = (flags & creates_flag) != 0;
  block.closes = (flags & closes_flag) != 0;
  block.removes = (flags & removes_flag) != 0;
  block.buries = (flags & buries_flag) != 0;
  if (block.creates)
    block.name = from.text();
  if ((flags & policy_flag) != 0)
    block.policy = read_policy(from);
  if ((flags & stamps_flag) != 0)
    block.stamps = read_stamps(from, block.first);
  if ((flags & truncates_flag) != 0)
    block.truncates = sequence{from.varint()};
  if ((flags & retention_flag) != 0)
    block.retention = read_retention(from);
  if ((flags & touches_flag) != 0)
    block.touched_ms = static_cast<std::int64_t>(from.varint());
  if ((flags & type_flag) != 0)
    block.content_type = from.text();
  if ((flags & order_flag) != 0)
    block.order = from.text();
  if ((flags & origin_flag) != 0)
    block.origin = read_origin(from, block.first);
  if ((flags & pins_flag) != 0)
    block.pins = read_pins(from);
  block.entries = from.rest();
  block.entry_bytes = block.entries.size();
  block.whole = bytes;
  if (!from.ok() || flags > flags_known || !plausible(block, count))
    return damaged("its head makes no sense");
  return block;
}

entry_cursor::entry_cursor(const block_view& block) noexcept
  : rest_(block.entries),
    seq_(block.first),
    time_ms_(block.first_ms),
    last_ms_(block.last_ms),
    left_(block.count) {}

std::optional<entry_view> entry_cursor::next() noexcept {
  if (left_ == 0) {
    sound_ = sound_ && rest_.empty() && time_ms_ == last_ms_;
    return std::nullopt;
  }
  wire_reader from{rest_};
  const auto head = from.varint();
  const auto step = from.varint();
  entry_view view;
  if ((head & 1) != 0)
    view.encoded = from.raw(from.varint());
  view.payload = from.raw(head >> 1);
  sound_ = from.ok() && step <= distance(time_ms_, last_ms_)
           && are_properties(view.encoded);
  if (!sound_) {
    left_ = 0;
    return std::nullopt;
  }
  time_ms_ += static_cast<std::int64_t>(step);
  view.seq = seq_;
  view.time_ms = time_ms_;
  rest_ = from.rest();
  seq_ = seq_ + 1;
  --left_;
  return view;
}

std::vector<std::byte>
encode_properties(const std::vector<property>& properties) {
  std::size_t most = 0;
  for (const auto& [key, value] : properties)
    most += key.size() + value.size() + 2 * varint_bytes_max;
  std::vector<std::byte> bytes(most);
  wire_writer to{bytes.data()};
  for (const auto& [key, value] : properties) {
    to.text(key);
    to.text(value);
  }
  bytes.resize(static_cast<std::size_t>(to.at() - bytes.data()));
  return bytes;
}

std::vector<property> entry_view::properties() const {
  std::vector<property> pairs;
  wire_reader from{encoded};
  while (!from.rest().empty()) {
    const auto key = from.text();
    const auto value = from.text();
    if (from.ok())
      pairs.emplace_back(key, value);
  }
  return pairs;
}

void block_builder::start(stream_id stream, sequence first) {
  stream_ = stream;
  first_ = first;
  count_ = 0;
  payload_bytes_ = entry_bytes_ = 0;
  first_ms_ = last_ms_ = 0;
  closes_ = removes_ = buries_ = false;
  policy_.reset();
  retention_.reset();
  truncates_.reset();
  touched_ms_.reset();
  name_.clear();
  content_type_.clear();
  origin_ = {};
  order_.clear();
  pins_.clear();
  stamps_.clear();
  stamps_bytes_ = 0;
  buffer_.shrink(kept_bytes);
  static_cast<void>(buffer_.reserve(room));
  buffer_.grow(room);
}

void block_builder::add(bytes_view payload, bytes_view properties,
                        std::int64_t time_ms) {
  TORPOR_ASSERT(count_ == 0 || time_ms >= last_ms_);
  if (count_ == 0)
    first_ms_ = last_ms_ = time_ms;
  const auto most = payload.size() + properties.size() + 3 * varint_bytes_max;
  auto* begin = buffer_.reserve(most);
  wire_writer to{begin};
  to.varint((payload.size() << 1) | (properties.empty() ? 0u : 1u));
  to.varint(static_cast<std::uint64_t>(time_ms - last_ms_));
  if (!properties.empty())
    to.text(as_text(properties));
  to.raw(payload);
  buffer_.grow(static_cast<std::size_t>(to.at() - begin));
  entry_bytes_ += static_cast<std::size_t>(to.at() - begin);
  last_ms_ = time_ms;
  payload_bytes_ += payload.size();
  ++count_;
}

void block_builder::stamp(std::string_view id, std::uint64_t epoch,
                          std::uint64_t number, std::uint32_t count) {
  TORPOR_ASSERT(count <= count_);
  stamps_.push_back(
    {std::string{id}, epoch, number, first_ + (count_ - count), count});
  stamps_bytes_ += stamp_bytes(id.size());
}

void block_builder::pin(std::uint64_t number, std::string_view fork) {
  pins_.push_back({number, std::string{fork}});
  stamps_bytes_ += stamp_bytes(fork.size());
}

std::size_t block_builder::head_bytes_max() const noexcept {
  return block_head_bytes + 24 * varint_bytes_max + name_.size()
         + content_type_.size() + order_.size() + stamps_bytes_;
}

/// What only streams of the HTTP door and forks have.
void block_builder::write_newer(wire_writer& to) const {
  if (!content_type_.empty())
    to.text(content_type_);
  if (!order_.empty())
    to.text(order_);
  if (origin_.source != stream_id{}) {
    to.varint(torpor::raw(origin_.source));
    to.varint(origin_.sub);
    to.varint(origin_.pin);
  }
  if (pins_.empty())
    return;
  to.varint(pins_.size());
  for (const auto& [number, fork] : pins_) {
    to.varint(number);
    to.text(fork);
  }
}

std::size_t block_builder::write_head(std::byte* at) const {
  wire_writer to{at + block_head_bytes};
  const auto flag = [](bool on, unsigned bit) { return on ? bit : 0u; };
  to.varint(torpor::raw(stream_));
  to.varint(
    flag(!name_.empty(), creates_flag) | flag(closes_, closes_flag)
    | flag(removes_, removes_flag) | flag(policy_.has_value(), policy_flag)
    | flag(!stamps_.empty(), stamps_flag)
    | flag(truncates_.has_value(), truncates_flag)
    | flag(retention_.has_value(), retention_flag)
    | flag(touched_ms_.has_value(), touches_flag)
    | flag(!content_type_.empty(), type_flag)
    | flag(!order_.empty(), order_flag)
    | flag(origin_.source != stream_id{}, origin_flag)
    | flag(!pins_.empty(), pins_flag) | flag(buries_, buries_flag));
  to.varint(torpor::raw(first_));
  to.varint(count_);
  to.varint(static_cast<std::uint64_t>(first_ms_));
  to.varint(static_cast<std::uint64_t>(last_ms_ - first_ms_));
  if (!name_.empty())
    to.text(name_);
  if (policy_) {
    to.varint(policy_->max_delay_ms);
    to.varint(policy_->max_bytes);
    to.varint(policy_->linger_ms);
  }
  if (!stamps_.empty()) {
    to.varint(stamps_.size());
    for (const auto& stamp : stamps_) {
      to.text(stamp.id);
      to.varint(stamp.epoch);
      to.varint(stamp.number);
      to.varint(torpor::raw(stamp.first) - torpor::raw(first_));
      to.varint(stamp.count);
    }
  }
  if (truncates_)
    to.varint(torpor::raw(*truncates_));
  if (retention_)
    write(to, *retention_);
  if (touched_ms_)
    to.varint(static_cast<std::uint64_t>(*touched_ms_));
  write_newer(to);
  return static_cast<std::size_t>(to.at() - at);
}

block_view block_builder::summary() const {
  block_view block;
  block.stream = stream_;
  block.first = first_;
  block.count = count_;
  block.first_ms = first_ms_;
  block.last_ms = last_ms_;
  block.creates = !name_.empty();
  block.closes = closes_;
  block.removes = removes_;
  block.buries = buries_;
  block.name = name_;
  block.policy = policy_;
  block.retention = retention_;
  block.truncates = truncates_;
  block.touched_ms = touched_ms_;
  block.entry_bytes = entry_bytes_;
  block.content_type = content_type_;
  block.order = order_;
  block.origin = origin_;
  for (const auto& [number, fork] : pins_)
    block.pins.push_back({number, fork});
  for (const auto& stamp : stamps_)
    block.stamps.push_back(
      {stamp.id, stamp.epoch, stamp.number, stamp.first, stamp.count});
  return block;
}

bytes_view block_builder::finish() {
  // The head's size is known only now. It is written aside and moved to just
  // before the entries, into the room that was kept free there.
  std::array<std::byte, 256> small;
  std::vector<std::byte> large;
  auto* head = small.data();
  if (const auto most = head_bytes_max(); most > small.size()) {
    large.resize(most);
    head = large.data();
  }
  const auto bytes = write_head(head);
  if (bytes > room) {
    // Rare (a name or producers): make the room larger.
    const auto entries = buffer_.size() - room;
    static_cast<void>(buffer_.reserve(bytes));
    std::memmove(buffer_.data() + bytes, buffer_.data() + room, entries);
    buffer_.grow(bytes - room);
  }
  const auto skip = bytes > room ? 0 : room - bytes;
  auto* begin = buffer_.data() + skip;
  const auto total = buffer_.size() - skip;
  std::memcpy(begin, head, bytes);
  const bytes_view body{begin + block_head_bytes, total - block_head_bytes};
  wire_writer to{begin};
  to.u32(static_cast<std::uint32_t>(total));
  to.u64(checksum(body));
  return {begin, total};
}

} // namespace torpor
