// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace torpor {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian; a port swaps bytes here");

/// Most bytes a varint takes (LEB128: 7 bits a byte, low bits first).
inline constexpr std::size_t varint_bytes_max = 10;

/// Writes little-endian numbers and varints into memory that the caller has
/// made large enough.
class wire_writer {
public:
  explicit wire_writer(std::byte* at) noexcept : at_(at) {}

  void u8(std::uint8_t value) noexcept { fixed(value); }
  void u16(std::uint16_t value) noexcept { fixed(value); }
  void u32(std::uint32_t value) noexcept { fixed(value); }
  void u64(std::uint64_t value) noexcept { fixed(value); }

  void varint(std::uint64_t value) noexcept {
    while (value >= 0x80) {
      *at_++ = static_cast<std::byte>(value | 0x80);
      value >>= 7;
    }
    *at_++ = static_cast<std::byte>(value);
  }

  void raw(bytes_view bytes) noexcept {
    if (!bytes.empty()) {
      std::memcpy(at_, bytes.data(), bytes.size());
      at_ += bytes.size();
    }
  }

  /// A length as varint, then the bytes.
  void text(std::string_view value) noexcept {
    varint(value.size());
    raw(as_bytes(value));
  }

  [[nodiscard]] std::byte* at() const noexcept { return at_; }

private:
  template <class T>
  void fixed(T value) noexcept {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }

  std::byte* at_;
};

/// Reads what `wire_writer` wrote from bytes that may be damaged. A read past
/// the end or a malformed varint gives 0 and makes `ok()` false for good.
class wire_reader {
public:
  explicit wire_reader(bytes_view bytes) noexcept : rest_(bytes) {}

  std::uint8_t u8() noexcept { return fixed<std::uint8_t>(); }
  std::uint16_t u16() noexcept { return fixed<std::uint16_t>(); }
  std::uint32_t u32() noexcept { return fixed<std::uint32_t>(); }
  std::uint64_t u64() noexcept { return fixed<std::uint64_t>(); }

  std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      if (shift == 63 && byte > 1)
        break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80)
        return value;
    }
    return broken();
  }

  bytes_view raw(std::uint64_t bytes) noexcept {
    if (bytes > rest_.size()) {
      broken();
      return {};
    }
    const auto taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }

  std::string_view text() noexcept { return as_text(raw(varint())); }

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// True when everything was read and nothing was malformed.
  [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }
  [[nodiscard]] bytes_view rest() const noexcept { return rest_; }

private:
  std::uint64_t broken() noexcept {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  template <class T>
  T fixed() noexcept {
    T value{};
    if (rest_.size() < sizeof value) {
      broken();
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }

  bytes_view rest_;
  bool ok_ = true;
};

} // namespace torpor
