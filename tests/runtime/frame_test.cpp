// SPDX-License-Identifier: Apache-2.0
#include "runtime/frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

using namespace torpor;

namespace {

frame_header example() {
  frame_header header;
  header.store.fill(std::byte{0xab});
  header.file = 7;
  header.blocks = 3;
  header.incarnation = 4;
  header.number = 1000;
  header.durable = 999;
  header.previous = 0x0123456789abcdef;
  header.previous_file = 6;
  header.payload_bytes = 270;
  header.payload_checksum = checksum_of(as_bytes("blocks"));
  return header;
}

using head_bytes = std::array<std::byte, frame_head_bytes>;

/// Makes a changed header sound again.
void seal(head_bytes& bytes, std::size_t size = frame_head_bytes) {
  const auto sum = checksum_of(bytes_view{bytes}.first(size - 8));
  std::memcpy(bytes.data() + size - 8, &sum, sizeof sum);
}

} // namespace

TEST_SUITE("frame") {
  TEST_CASE("a header is read as it was written") {
    auto header = example();
    head_bytes bytes;
    encode(header, bytes.data());
    const auto read = decode_frame_header(bytes);
    REQUIRE(read);
    CHECK(*read == header);
    CHECK(header.checksum != 0);
  }

  TEST_CASE("the fields lie where the format page says") {
    auto header = example();
    head_bytes bytes;
    encode(header, bytes.data());
    const auto u32_at = [&](std::size_t offset) {
      std::uint32_t value = 0;
      std::memcpy(&value, bytes.data() + offset, sizeof value);
      return value;
    };
    const auto u64_at = [&](std::size_t offset) {
      std::uint64_t value = 0;
      std::memcpy(&value, bytes.data() + offset, sizeof value);
      return value;
    };
    CHECK(as_text(bytes_view{bytes}.first(8)) == "torporJF");
    CHECK(u32_at(8) == (128u << 16 | 1u));
    CHECK(u32_at(12) == 0);
    CHECK(std::equal(header.store.begin(), header.store.end(), &bytes[16]));
    CHECK(u32_at(32) == header.file);
    CHECK(u32_at(36) == header.blocks);
    CHECK(u64_at(40) == header.incarnation);
    CHECK(u64_at(48) == header.number);
    CHECK(u64_at(56) == header.durable);
    CHECK(u64_at(64) == header.previous);
    CHECK(u32_at(72) == header.previous_file);
    CHECK(u32_at(76) == header.payload_bytes);
    CHECK(u64_at(80) == header.payload_checksum);
    CHECK(u64_at(120) == header.checksum);
    CHECK(header.checksum == checksum_of(bytes_view{bytes}.first(120)));
  }

  TEST_CASE("every flipped bit of a header is noticed") {
    auto header = example();
    head_bytes bytes;
    encode(header, bytes.data());
    for (std::size_t bit = 0; bit < frame_head_bytes * 8; ++bit) {
      auto damaged = bytes;
      damaged[bit / 8] ^= std::byte{1} << (bit % 8);
      const auto read = decode_frame_header(damaged);
      REQUIRE_MESSAGE(!read, bit);
      CHECK(read.error().code == errc::corrupt);
    }
  }

  TEST_CASE("a header that is cut off is no header") {
    auto header = example();
    head_bytes bytes;
    encode(header, bytes.data());
    for (std::size_t size = 0; size < frame_head_bytes; ++size) {
      const auto read = decode_frame_header(bytes_view{bytes}.first(size));
      REQUIRE(!read);
      CHECK(read.error().code == errc::corrupt);
    }
  }

  TEST_CASE("a sound header of a newer format is refused, not misread") {
    auto header = example();
    head_bytes bytes;
    encode(header, bytes.data());
    SUBCASE("a higher version") {
      bytes[8] = std::byte{2};
    }
    SUBCASE("a flag") {
      bytes[12] = std::byte{1};
    }
    seal(bytes);
    const auto read = decode_frame_header(bytes);
    REQUIRE(!read);
    CHECK(read.error().code == errc::incompatible);
  }

  TEST_CASE("a newer format may have a longer header") {
    std::array<std::byte, frame_alignment> bytes{};
    auto header = example();
    encode(header, bytes.data());
    bytes[8] = std::byte{2};
    bytes[10] = std::byte{0};
    bytes[11] = std::byte{1}; // 256 bytes.
    const auto sum = checksum_of(bytes_view{bytes}.first(248));
    std::memcpy(bytes.data() + 248, &sum, sizeof sum);
    const auto read = decode_frame_header(bytes);
    REQUIRE(!read);
    CHECK(read.error().code == errc::incompatible);
    CHECK(decode_frame_header(bytes_view{bytes}.first(255)).error().code
          == errc::corrupt);
  }

  TEST_CASE("a frame fills whole pages") {
    CHECK(frame_bytes(0) == 4096);
    CHECK(frame_bytes(4096 - 128) == 4096);
    CHECK(frame_bytes(4096 - 127) == 8192);
    CHECK(frame_bytes((1u << 30) - 4096 - 128) == (1u << 30) - 4096);
  }

  TEST_CASE("a payload in pieces has the checksum of the whole") {
    std::vector<std::byte> payload(100'000);
    for (std::size_t n = 0; n < payload.size(); ++n)
      payload[n] = static_cast<std::byte>(n * 31 >> 3);
    for (const std::size_t piece : {1u, 4096u, 65'536u, 100'000u}) {
      payload_digest digest;
      for (std::size_t at = 0; at < payload.size(); at += piece)
        digest.add(bytes_view{payload}.subspan(
          at, std::min(piece, payload.size() - at)));
      CHECK(digest.value() == checksum_of(payload));
    }
    CHECK(payload_digest{}.value() == checksum_of({}));
  }
}
