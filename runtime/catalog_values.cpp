// SPDX-License-Identifier: Apache-2.0
#include "runtime/catalog_values.hpp"

#include "runtime/safety_step.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace torpor {

namespace {

using checksum = std::uint32_t;

checksum checksum_of(bytes_view key, bytes_view body) noexcept {
  const auto seed = XXH3_64bits(key.data(), key.size());
  return static_cast<checksum>(
    XXH3_64bits_withSeed(body.data(), body.size(), seed));
}

/// Appends what `write` writes: at most `bytes_max`.
template <class Write>
void append(catalog_value& into, std::size_t bytes_max, Write write) {
  const auto start = into.size();
  into.resize(start + bytes_max);
  wire_writer out{into.data() + start};
  write(out);
  into.resize(static_cast<std::size_t>(out.at() - into.data()));
}

void append_target(const name_target& target, catalog_value& into) {
  append(into, 2 * varint_bytes_max + target.rest.size(),
         [&](wire_writer& out) {
           out.text(target.rest);
           out.varint(raw(target.id));
         });
}

} // namespace

void seal(bytes_view key, catalog_value& body) {
  const auto sum = checksum_of(key, body);
  append(body, sizeof sum, [&](wire_writer& out) { out.u32(sum); });
}

std::optional<bytes_view> unseal(bytes_view key, bytes_view value) noexcept {
  checksum sum = 0;
  if (value.size() < sizeof sum)
    return std::nullopt;
  const auto body = value.first(value.size() - sizeof sum);
  std::memcpy(&sum, value.data() + body.size(), sizeof sum);
  if (does(safety_step::catalog_checksum) && sum != checksum_of(key, body))
    return std::nullopt;
  return body;
}

std::optional<name_target> name_targets::next() noexcept {
  if (in_.rest().empty())
    return std::nullopt;
  name_target target;
  target.rest = in_.text();
  target.id = stream_id{in_.varint()};
  return target;
}

std::optional<stream_id> find_target(bytes_view body,
                                     std::string_view rest) noexcept {
  name_targets targets{body};
  while (const auto target = targets.next())
    if (target->rest == rest)
      return target->id;
  return std::nullopt;
}

void set_target(bytes_view body, std::string_view rest,
                std::optional<stream_id> id, catalog_value& into) {
  name_targets targets{body};
  auto target = targets.next();
  for (; target && target->rest < rest; target = targets.next())
    append_target(*target, into);
  if (id)
    append_target({rest, *id}, into);
  if (target && target->rest == rest)
    target = targets.next();
  for (; target; target = targets.next())
    append_target(*target, into);
}

// Big-endian, so that LMDB's order of bytes is the order of numbers. Times are
// not negative.
std::array<std::byte, 16> encode(const stream_review& review) {
  const std::uint64_t parts[] = {
    __builtin_bswap64(static_cast<std::uint64_t>(review.time_ms)),
    __builtin_bswap64(raw(review.stream))};
  std::array<std::byte, 16> key;
  std::memcpy(key.data(), parts, key.size());
  return key;
}

std::optional<stream_review> decode_review(bytes_view key) {
  std::uint64_t parts[2];
  if (key.size() != sizeof parts)
    return std::nullopt;
  std::memcpy(parts, key.data(), sizeof parts);
  return stream_review{static_cast<std::int64_t>(__builtin_bswap64(parts[0])),
                       stream_id{__builtin_bswap64(parts[1])}};
}

void encode(const catalog_state& state, catalog_value& into) {
  append(into, 6 * varint_bytes_max, [&](wire_writer& out) {
    out.varint(state.journal_first);
    out.varint(state.incarnation);
    out.varint(state.unsealed_first);
    out.varint(state.frame_first);
    out.varint(state.next_segment);
    out.varint(state.segments.size());
  });
  for (const auto& each : state.segments)
    append(into, 10 * varint_bytes_max, [&](wire_writer& out) {
      out.varint(each.number);
      out.varint(each.journal_first);
      out.varint(each.journal_last);
      out.varint(each.streams);
      out.varint(each.entries);
      out.varint(each.payload_bytes);
      out.varint(each.raw_bytes);
      out.varint(each.file_bytes);
      out.varint(static_cast<std::uint64_t>(each.first_ms));
      out.varint(static_cast<std::uint64_t>(each.last_ms));
    });
  append(into, varint_bytes_max,
         [&](wire_writer& out) { out.varint(state.deleted_bytes); });
}

std::optional<catalog_state> decode_state(bytes_view body) {
  wire_reader in{body};
  catalog_state state;
  state.journal_first = in.varint();
  state.incarnation = in.varint();
  if (in.done()) // Written before there were segments: nothing is sealed.
    return state;
  state.unsealed_first = in.varint();
  state.frame_first = in.varint();
  state.next_segment = in.varint();
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    auto& each = state.segments.emplace_back();
    each.number = in.varint();
    each.journal_first = static_cast<std::uint32_t>(in.varint());
    each.journal_last = static_cast<std::uint32_t>(in.varint());
    each.streams = in.varint();
    each.entries = in.varint();
    each.payload_bytes = in.varint();
    each.raw_bytes = in.varint();
    each.file_bytes = in.varint();
    each.first_ms = static_cast<std::int64_t>(in.varint());
    each.last_ms = static_cast<std::int64_t>(in.varint());
  }
  if (in.done()) // Written before deletes were counted.
    return state;
  state.deleted_bytes = in.varint();
  if (!in.done())
    return std::nullopt;
  return state;
}

void encode_number(std::uint64_t number, catalog_value& into) {
  append(into, varint_bytes_max, [&](wire_writer& out) { out.varint(number); });
}

std::optional<std::uint64_t> decode_number(bytes_view body) {
  wire_reader in{body};
  const auto number = in.varint();
  if (!in.done())
    return std::nullopt;
  return number;
}

} // namespace torpor
