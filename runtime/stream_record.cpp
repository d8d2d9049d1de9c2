// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_record.hpp"

#include "runtime/assert.hpp"
#include "runtime/wire.hpp"
#include "runtime/zigzag.hpp"

#include <limits>
#include <optional>
#include <utility>

namespace torpor {

namespace {

constexpr std::uint8_t record_version = 1;

// Bits of the byte behind the name.
constexpr std::uint8_t closed_flag = 1;
constexpr std::uint8_t policy_flag = 2;
constexpr std::uint8_t producers_flag = 4;
constexpr std::uint8_t retention_flag = 8;
constexpr std::uint8_t bytes_flag = 16;
constexpr std::uint8_t type_flag = 32;
constexpr std::uint8_t order_flag = 64;
constexpr std::uint8_t forks_flag = 128;
constexpr std::uint8_t settings_flags = policy_flag | retention_flag | type_flag
                                        | order_flag | forks_flag;

// Version, flags, length of the name, four numbers, three of the sync policy,
// five of the retention policy, two times, how many runs and producers, two
// lengths of texts, and of forks four numbers of the origin, two others and
// whether it is buried.
constexpr std::size_t fixed_bytes_max = 3 + 25 * varint_bytes_max;
constexpr std::size_t pin_bytes_max = 2 * varint_bytes_max;
constexpr std::size_t pin_bytes_min = 3;
constexpr std::size_t run_bytes_max = 4 * varint_bytes_max;
constexpr std::size_t run_bytes_min = 4;
// Length of the id, epoch, next, which answers there are, and the answers.
constexpr std::size_t producer_bytes_max = (3 + 3 * producer_state::answers_max)
                                             * varint_bytes_max
                                           + 1;
constexpr std::size_t producer_bytes_min = 5;

std::size_t encoded_bytes_max(const stream_record& record) {
  auto bytes = fixed_bytes_max + record.name.size();
  if (record.settings) {
    bytes += record.settings->runs.size() * run_bytes_max
             + record.settings->content_type.size()
             + record.settings->order.size();
    for (const auto& pin : record.settings->pins)
      bytes += pin_bytes_max + pin.name.size();
  }
  if (record.producers)
    for (const auto& producer : *record.producers)
      bytes += producer_bytes_max + producer.id.size();
  return bytes;
}

std::uint8_t flags_of(const stream_record& record) {
  std::uint8_t flags = 0;
  if (record.closed)
    flags |= closed_flag;
  if (record.kept_bytes != 0)
    flags |= bytes_flag;
  if (record.settings) {
    const auto& own = *record.settings;
    if (own.sync != sync_policy{})
      flags |= policy_flag;
    if (own.keep != retention_policy{} || own.touched_ms != 0
        || own.review_ms != 0 || !own.runs.empty())
      flags |= retention_flag;
    if (!own.content_type.empty())
      flags |= type_flag;
    if (!own.order.empty())
      flags |= order_flag;
    if (own.origin.source != stream_id{} || own.pins_made != 0 || own.buried)
      flags |= forks_flag;
  }
  if (record.producers && !record.producers->empty())
    flags |= producers_flag;
  return flags;
}

void write_producer(wire_writer& out, const producer_state& producer) {
  out.text(producer.id);
  out.varint(producer.epoch);
  out.varint(producer.next);
  std::uint8_t present = 0;
  for (std::size_t i = 0; i < producer.answers.size(); ++i)
    if (producer.answers[i].count != 0)
      present |= static_cast<std::uint8_t>(1u << i);
  out.u8(present);
  for (const auto& answer : producer.answers)
    if (answer.count != 0) {
      out.varint(producer.next - answer.number); // Small; may wrap around.
      out.varint(raw(answer.first));
      out.varint(answer.count);
    }
}

void write_retention(wire_writer& out, const stream_settings& settings,
                     sequence first) {
  out.varint(zigzag(settings.review_ms));
  out.varint(zigzag(settings.touched_ms));
  out.varint(settings.keep.age_ms);
  out.varint(settings.keep.bytes);
  out.varint(settings.keep.entries);
  out.varint(settings.keep.ttl_ms);
  out.varint(zigzag(settings.keep.expires_ms));
  out.varint(settings.runs.size());
  for (const auto& run : settings.runs) {
    out.varint(raw(run.first) - raw(first));
    out.varint(zigzag(run.first_ms));
    out.varint(zigzag_step(run.first_ms, run.last_ms));
    out.varint(run.bytes);
    first = run.first;
  }
}

void write_forks(wire_writer& out, const stream_settings& settings) {
  const auto& origin = settings.origin;
  out.varint(raw(origin.source));
  out.varint(raw(origin.at));
  out.varint(origin.sub);
  out.varint(origin.pin);
  out.u8(settings.buried ? 1 : 0);
  out.varint(settings.pins_made);
  out.varint(settings.pins.size());
  for (const auto& pin : settings.pins) {
    out.varint(pin.number);
    out.text(pin.name);
  }
}

/// Reads the fields of a record. After a value out of range `ok` is false.
class record_reader {
public:
  explicit record_reader(bytes_view bytes) : in_{bytes} {}

  stream_record record() {
    stream_record record;
    require(in_.u8() == record_version);
    record.name = text(limits::name_bytes_max);
    const auto flags = in_.u8();
    record.closed = (flags & closed_flag) != 0;
    const auto first = in_.varint();
    const auto kept = in_.varint();
    require(kept <= std::numeric_limits<std::uint64_t>::max() - first);
    record.first = sequence{first};
    record.next = record.first + kept;
    record.last_ms = unzigzag(in_.varint());
    if ((flags & bytes_flag) != 0)
      record.kept_bytes = number63() & kept_bytes_max;
    if ((flags & settings_flags) != 0)
      record.settings = std::make_unique<stream_settings>();
    if ((flags & policy_flag) != 0)
      record.settings->sync = policy();
    if ((flags & retention_flag) != 0)
      retention(*record.settings, record.first);
    if ((flags & type_flag) != 0)
      record.settings->content_type = text(limits::content_type_bytes_max);
    if ((flags & order_flag) != 0)
      record.settings->order = text(limits::order_bytes_max);
    if ((flags & forks_flag) != 0)
      forks(*record.settings);
    if ((flags & producers_flag) != 0)
      record.producers = std::make_unique<producer_table>(producers());
    return record;
  }

  [[nodiscard]] bool done() const { return ok_ && in_.done(); }

private:
  void require(bool condition) { ok_ = ok_ && condition; }

  std::string_view text(std::size_t bytes_max) {
    const auto value = in_.text();
    require(!value.empty() && value.size() <= bytes_max);
    return value;
  }

  std::uint32_t number32() {
    const auto value = in_.varint();
    require(value <= std::numeric_limits<std::uint32_t>::max());
    return static_cast<std::uint32_t>(value);
  }

  std::uint64_t number63() {
    const auto value = in_.varint();
    require(value <= kept_bytes_max);
    return value;
  }

  sync_policy policy() {
    sync_policy policy;
    policy.max_delay_ms = number32();
    policy.max_bytes = number32();
    policy.linger_ms = number32();
    return policy;
  }

  void retention(stream_settings& settings, sequence first) {
    settings.review_ms = unzigzag(in_.varint());
    settings.touched_ms = unzigzag(in_.varint());
    settings.keep.age_ms = in_.varint();
    settings.keep.bytes = in_.varint();
    settings.keep.entries = in_.varint();
    settings.keep.ttl_ms = in_.varint();
    settings.keep.expires_ms = unzigzag(in_.varint());
    const auto count = in_.varint();
    require(count <= in_.rest().size() / run_bytes_min);
    if (!ok_) // Before memory is taken for a damaged count.
      return;
    settings.runs.resize(count);
    for (auto& run : settings.runs) {
      run.first = first = first + in_.varint();
      run.first_ms = unzigzag(in_.varint());
      run.last_ms = step(run.first_ms, in_.varint());
      run.bytes = in_.varint();
    }
  }

  void forks(stream_settings& settings) {
    settings.origin.source = stream_id{in_.varint()};
    settings.origin.at = sequence{in_.varint()};
    settings.origin.sub = in_.varint();
    settings.origin.pin = in_.varint();
    const auto buried = in_.u8();
    require(buried <= 1);
    settings.buried = buried == 1;
    settings.pins_made = in_.varint();
    const auto count = in_.varint();
    require(count <= in_.rest().size() / pin_bytes_min);
    if (!ok_) // Before memory is taken for a damaged count.
      return;
    settings.pins.reserve(count);
    while (settings.pins.size() < count && ok_ && in_.ok()) {
      const auto number = in_.varint();
      settings.pins.push_back(
        {number, std::string{text(limits::name_bytes_max)}});
    }
  }

  producer_table producers() {
    producer_table table;
    const auto count = in_.varint();
    require(count != 0 && count <= in_.rest().size() / producer_bytes_min);
    if (!ok_) // Before memory is taken for a damaged count.
      return table;
    table.reserve(count);
    while (table.size() < count && ok_ && in_.ok())
      table.push_back(producer());
    return table;
  }

  producer_state producer() {
    producer_state producer;
    producer.id = text(limits::producer_id_bytes_max);
    producer.epoch = in_.varint();
    producer.next = in_.varint();
    const auto present = in_.u8();
    require(present < 1u << producer_state::answers_max);
    for (std::size_t i = 0; i < producer.answers.size(); ++i)
      if ((present & 1u << i) != 0) {
        auto& answer = producer.answers[i];
        answer.number = producer.next - in_.varint();
        answer.first = sequence{in_.varint()};
        answer.count = number32();
        require(answer.count != 0);
      }
    return producer;
  }

  wire_reader in_;
  bool ok_ = true;
};

} // namespace

void encode(const stream_record& record, std::vector<std::byte>& into) {
  TORPOR_ASSERT(!record.name.empty()
                && record.name.size() <= limits::name_bytes_max);
  TORPOR_ASSERT(record.first <= record.next);
  const auto start = into.size();
  into.resize(start + encoded_bytes_max(record));
  wire_writer out{into.data() + start};
  const auto flags = flags_of(record);
  out.u8(record_version);
  out.text(record.name);
  out.u8(flags);
  out.varint(raw(record.first));
  out.varint(raw(record.next) - raw(record.first));
  out.varint(zigzag(record.last_ms));
  if ((flags & bytes_flag) != 0)
    out.varint(record.kept_bytes);
  if ((flags & policy_flag) != 0) {
    const auto& sync = record.settings->sync;
    out.varint(sync.max_delay_ms);
    out.varint(sync.max_bytes);
    out.varint(sync.linger_ms);
  }
  if ((flags & retention_flag) != 0)
    write_retention(out, *record.settings, record.first);
  if ((flags & type_flag) != 0)
    out.text(record.settings->content_type);
  if ((flags & order_flag) != 0)
    out.text(record.settings->order);
  if ((flags & forks_flag) != 0)
    write_forks(out, *record.settings);
  if ((flags & producers_flag) != 0) {
    out.varint(record.producers->size());
    for (const auto& producer : *record.producers)
      write_producer(out, producer);
  }
  into.resize(static_cast<std::size_t>(out.at() - into.data()));
}

result<stream_record> decode_record(bytes_view bytes) {
  record_reader in{bytes};
  auto record = in.record();
  if (!in.done())
    return fail(errc::corrupt, "a stream's record is damaged");
  return record;
}

std::int64_t review_in_record(bytes_view bytes) {
  wire_reader in{bytes};
  in.u8();
  in.text();
  if ((in.u8() & retention_flag) == 0)
    return 0;
  const auto record = decode_record(bytes);
  return record ? record->settings->review_ms : 0;
}

std::string_view name_in_record(bytes_view bytes) noexcept {
  wire_reader in{bytes};
  in.u8();
  return in.text();
}

} // namespace torpor
