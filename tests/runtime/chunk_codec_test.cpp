// SPDX-License-Identifier: Apache-2.0
#include "runtime/chunk_codec.hpp"

#include "tests/support/segment_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr std::size_t size = 40'000;

/// Text of which that part, in percent, cannot be made shorter.
std::string text(std::size_t percent) {
  dice chance{1};
  auto made = noise(chance, size * percent / 100);
  made.resize(size, 'a');
  return made;
}

std::vector<std::byte> unpack(bytes_view stored) {
  std::vector<std::byte> raw(size);
  REQUIRE(decompress_chunk(stored, raw));
  return raw;
}

} // namespace

TEST_SUITE("chunk_codec") {
  TEST_CASE("what was compressed comes back, at every level") {
    for (int level = 1; level <= 22; ++level) {
      chunk_compressor compressor{level};
      for (const std::size_t percent : {0u, 50u, 100u, 20u}) {
        const auto raw = text(percent);
        const auto stored = compressor.compress(as_bytes(raw));
        REQUIRE(as_text(unpack(stored)) == raw);
      }
    }
  }

  TEST_CASE("a chunk is compressed if that saves an eighth") {
    chunk_compressor compressor{1};
    const auto saves = text(86);
    CHECK(compressor.compress(as_bytes(saves)).size() < size * 7 / 8);
    const auto saves_less = text(89);
    CHECK(compressor.compress(as_bytes(saves_less)).size() == size);
  }

  TEST_CASE("level 0 compresses nothing") {
    chunk_compressor compressor{0};
    const auto raw = text(0);
    CHECK(compressor.compress(as_bytes(raw)).data() == as_bytes(raw).data());
  }

  TEST_CASE("what is no chunk is damage") {
    chunk_compressor compressor{1};
    const auto raw = text(50);
    const auto stored = compressor.compress(as_bytes(raw));
    std::vector<std::byte> into(size);
    const auto other = text(100);
    CHECK(decompress_chunk(as_bytes(other).first(100), into).error().code
          == errc::corrupt);
    CHECK(decompress_chunk(stored.first(stored.size() - 1), into).error().code
          == errc::corrupt);
    // Another size than it had.
    into.resize(size - 1);
    CHECK(decompress_chunk(stored, into).error().code == errc::corrupt);
    into.resize(size + 1);
    CHECK(decompress_chunk(stored, into).error().code == errc::corrupt);
  }
}
