// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <array>
#include <cstdint>
#include <memory>

namespace torpor {

/// Tells the files of one store from those of any other: random bytes.
using store_id = std::array<std::byte, 16>;

/// The head of one commit frame (docs/journal-format.md).
struct frame_header {
  store_id store{};
  std::uint32_t file = 0;          ///< Number of the file that holds it.
  std::uint32_t blocks = 0;        ///< 0: an idle mark.
  std::uint64_t incarnation = 0;   ///< Opening that wrote it, from 1.
  std::uint64_t number = 0;        ///< Dense over the whole journal, from 1.
  std::uint64_t durable = 0;       ///< Highest number known durable then.
  std::uint64_t previous = 0;      ///< Checksum of the header before it.
  std::uint32_t previous_file = 0; ///< File that holds the frame before it.
  std::uint32_t payload_bytes = 0; ///< Of all blocks.
  std::uint64_t payload_checksum = 0;
  std::uint64_t checksum = 0; ///< Of this header; set by encode and decode.
  bool operator==(const frame_header&) const = default;
};

/// Bytes of a frame's header; the blocks follow.
inline constexpr std::size_t frame_head_bytes = 128;
/// Frames start at multiples of it and are padded with zeros to one.
inline constexpr std::size_t frame_alignment = 4096;

/// The next multiple of `frame_alignment`.
[[nodiscard]] constexpr std::uint64_t
align_to_frame(std::uint64_t bytes) noexcept {
  return (bytes + frame_alignment - 1) / frame_alignment * frame_alignment;
}

/// Bytes that a frame with that payload takes in its file.
[[nodiscard]] constexpr std::uint64_t
frame_bytes(std::uint64_t payload_bytes) noexcept {
  return align_to_frame(frame_head_bytes + payload_bytes);
}

/// Writes `frame_head_bytes` bytes and sets the header's checksum.
void encode(frame_header& header, std::byte* into) noexcept;

/// Checks and decodes the header at the start of `bytes`. Its lengths are not
/// compared with any file. Errors: corrupt (no frame starts here, or its header
/// is damaged), incompatible (sound, but of a newer format).
[[nodiscard]] result<frame_header> decode_frame_header(bytes_view bytes);

/// Checksum of a payload that comes in pieces. Threads: one owner.
class payload_digest {
public:
  payload_digest();
  ~payload_digest();

  void add(bytes_view piece) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// The checksum of headers and payloads: XXH3-64.
[[nodiscard]] std::uint64_t checksum_of(bytes_view bytes) noexcept;

} // namespace torpor
