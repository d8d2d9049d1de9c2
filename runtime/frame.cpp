// SPDX-License-Identifier: Apache-2.0
#include "runtime/frame.hpp"

#include "runtime/safety_step.hpp"
#include "runtime/wire.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

constexpr std::string_view magic = "torporJF";
constexpr std::uint16_t format_version = 1;
constexpr std::size_t checksum_bytes = 8;
constexpr std::size_t unused_bytes = 32;

/// Where a newer format may end its header.
constexpr std::size_t head_bytes_max = frame_alignment;

tl::unexpected<error> no_frame() {
  return fail(errc::corrupt, "no sound frame header");
}

/// What every version has in common: magic, version, size, and a checksum in
/// the last 8 bytes.
struct preamble {
  std::uint16_t version;
  std::uint64_t checksum;
};

result<preamble> check_preamble(bytes_view bytes) {
  if (bytes.size() < frame_head_bytes
      || as_text(bytes.first(magic.size())) != magic)
    return no_frame();
  wire_reader from{bytes.subspan(magic.size())};
  const auto version = from.u16();
  const std::size_t size = from.u16();
  if (size < frame_head_bytes || size > std::min(bytes.size(), head_bytes_max))
    return no_frame();
  const auto covered = size - checksum_bytes;
  const auto stated = wire_reader{bytes.subspan(covered)}.u64();
  if (does(safety_step::frame_head_checksum)
      && checksum_of(bytes.first(covered)) != stated)
    return no_frame();
  return preamble{version, stated};
}

} // namespace

void encode(frame_header& header, std::byte* into) noexcept {
  wire_writer to{into};
  to.raw(as_bytes(magic));
  to.u16(format_version);
  to.u16(frame_head_bytes);
  to.u32(0); // Flags.
  to.raw(header.store);
  to.u32(header.file);
  to.u32(header.blocks);
  to.u64(header.incarnation);
  to.u64(header.number);
  to.u64(header.durable);
  to.u64(header.previous);
  to.u32(header.previous_file);
  to.u32(header.payload_bytes);
  to.u64(header.payload_checksum);
  to.raw(std::array<std::byte, unused_bytes>{});
  header.checksum = checksum_of({into, frame_head_bytes - checksum_bytes});
  to.u64(header.checksum);
}

result<frame_header> decode_frame_header(bytes_view bytes) {
  const auto known = check_preamble(bytes);
  if (!known)
    return tl::unexpected{known.error()};
  wire_reader from{bytes.subspan(magic.size() + 4)};
  const auto flags = from.u32();
  if (known->version != format_version || flags != 0)
    return fail(errc::incompatible,
                fmt::format("a frame of format version {} with flags {}; this "
                            "build reads version {} without flags",
                            known->version, flags, format_version));
  frame_header header;
  const auto store = from.raw(header.store.size());
  std::copy(store.begin(), store.end(), header.store.begin());
  header.file = from.u32();
  header.blocks = from.u32();
  header.incarnation = from.u64();
  header.number = from.u64();
  header.durable = from.u64();
  header.previous = from.u64();
  header.previous_file = from.u32();
  header.payload_bytes = from.u32();
  header.payload_checksum = from.u64();
  header.checksum = known->checksum;
  return header;
}

struct payload_digest::state {
  XXH3_state_t xxh;
};

payload_digest::payload_digest() : state_{std::make_unique<state>()} {
  XXH3_64bits_reset(&state_->xxh);
}

payload_digest::~payload_digest() = default;

void payload_digest::add(bytes_view piece) noexcept {
  XXH3_64bits_update(&state_->xxh, piece.data(), piece.size());
}

std::uint64_t payload_digest::value() const noexcept {
  return XXH3_64bits_digest(&state_->xxh);
}

std::uint64_t checksum_of(bytes_view bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

} // namespace torpor
