// SPDX-License-Identifier: Apache-2.0
#include "runtime/wire.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace torpor;

namespace {

constexpr auto number_max = std::numeric_limits<std::uint64_t>::max();

std::vector<std::byte> varint(std::uint64_t value) {
  std::vector<std::byte> bytes(varint_bytes_max);
  wire_writer to{bytes.data()};
  to.varint(value);
  bytes.resize(static_cast<std::size_t>(to.at() - bytes.data()));
  return bytes;
}

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const auto value : values)
    bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

} // namespace

TEST_SUITE("wire") {
  TEST_CASE("a varint of any size comes back and takes 7 bits a byte") {
    for (unsigned bit = 0; bit < 64; ++bit)
      for (const auto value :
           {std::uint64_t{1} << bit, (std::uint64_t{1} << bit) - 1,
            number_max >> bit}) {
        const auto bytes = varint(value);
        std::size_t least = 1;
        while (least < 10 && value >> (7 * least) != 0)
          ++least;
        CHECK(bytes.size() == least);
        wire_reader from{bytes};
        CHECK(from.varint() == value);
        CHECK(from.done());
      }
  }

  TEST_CASE("a varint that was cut off is refused") {
    auto bytes = varint(number_max);
    while (!bytes.empty()) {
      bytes.pop_back();
      wire_reader from{bytes};
      CHECK(from.varint() == 0);
      CHECK_FALSE(from.ok());
    }
  }

  TEST_CASE("a varint of more than 64 bits is refused") {
    for (const auto last : {0x02u, 0x7fu, 0x80u, 0x81u}) {
      auto bytes = std::vector<std::byte>(9, std::byte{0xff});
      bytes.push_back(static_cast<std::byte>(last));
      bytes.push_back(std::byte{0});
      wire_reader from{bytes};
      CHECK(from.varint() == 0);
      CHECK_FALSE(from.ok());
    }
  }

  TEST_CASE("numbers are little-endian") {
    std::vector<std::byte> bytes(15);
    wire_writer to{bytes.data()};
    to.u8(0x01);
    to.u16(0x0302);
    to.u32(0x07060504);
    to.u64(0x0f0e0d0c0b0a0908);
    CHECK(bytes
          == bytes_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
    wire_reader from{bytes};
    CHECK(from.u8() == 0x01);
    CHECK(from.u16() == 0x0302);
    CHECK(from.u32() == 0x07060504);
    CHECK(from.u64() == 0x0f0e0d0c0b0a0908);
    CHECK(from.done());
  }

  TEST_CASE("a text with zeros in it comes back") {
    const std::string text{"a\0b", 3};
    std::vector<std::byte> bytes(16);
    wire_writer to{bytes.data()};
    to.text(text);
    to.text("");
    bytes.resize(static_cast<std::size_t>(to.at() - bytes.data()));
    wire_reader from{bytes};
    CHECK(from.text() == text);
    CHECK(from.text().empty());
    CHECK(from.done());
  }

  TEST_CASE("a text longer than what is left is refused") {
    for (const auto claimed : {std::uint64_t{4}, number_max}) {
      auto bytes = varint(claimed);
      for (const auto letter : {'a', 'b', 'c'})
        bytes.push_back(static_cast<std::byte>(letter));
      wire_reader from{bytes};
      CHECK(from.text().empty());
      CHECK_FALSE(from.ok());
    }
  }

  TEST_CASE("after one bad read all reads give nothing") {
    const auto bytes = bytes_of({1, 2, 3});
    wire_reader from{bytes};
    CHECK(from.u64() == 0);
    CHECK(from.u8() == 0);
    CHECK(from.varint() == 0);
    CHECK(from.raw(1).empty());
    CHECK(from.rest().empty());
    CHECK_FALSE(from.ok());
    CHECK_FALSE(from.done());
  }

  TEST_CASE("what is left unread is not done") {
    const auto bytes = bytes_of({1, 2});
    wire_reader from{bytes};
    CHECK(from.u8() == 1);
    CHECK(from.ok());
    CHECK_FALSE(from.done());
  }

  TEST_CASE("random bytes never make a reader leave its bytes") {
    std::mt19937_64 random{7};
    for (int round = 0; round < 20'000; ++round) {
      std::vector<std::byte> bytes(random() % 24);
      for (auto& byte : bytes)
        byte = static_cast<std::byte>(random());
      wire_reader from{bytes};
      while (from.ok() && !from.rest().empty()) {
        const auto before = from.rest().size();
        switch (random() % 4) {
          case 0: static_cast<void>(from.varint()); break;
          case 1: static_cast<void>(from.text()); break;
          case 2: static_cast<void>(from.u32()); break;
          default: static_cast<void>(from.raw(1 + random() % 4));
        }
        REQUIRE(from.rest().size() < before);
      }
    }
  }
}
