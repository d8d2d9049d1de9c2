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

  TEST_CASE("text among noise is compressed, chunk by chunk") {
    chunk_compressor compressor{1};
    const auto noisy = text(100);
    const auto plain = text(0);
    for (int i = 0; i < 50; ++i) {
      CHECK(compressor.compress(as_bytes(noisy)).size() == size);
      if (i % 3 == 0)
        CHECK(compressor.compress(as_bytes(plain)).size() < size / 8);
    }
  }

  TEST_CASE("noise that repeats is found soon, though no sample shows it") {
    chunk_compressor compressor{1};
    const auto noisy = text(100);
    auto repeats = noisy.substr(0, size / 4);
    repeats += repeats;
    repeats += repeats;
    CHECK(compressor.compress(as_bytes(repeats)).size() < size / 3);
    CHECK(compressor.compress(as_bytes(noisy)).size() == size);
    int attempts = 1;
    while (compressor.compress(as_bytes(repeats)).size() == size)
      ++attempts;
    CHECK(attempts == 16);
    CHECK(compressor.compress(as_bytes(repeats)).size() < size / 3);
  }

  TEST_CASE("the same chunks give the same bytes") {
    chunk_compressor one{1};
    chunk_compressor two{1};
    for (const std::size_t percent : {100u, 100u, 50u, 100u, 0u, 100u, 87u}) {
      const auto raw = text(percent);
      CHECK(as_text(one.compress(as_bytes(raw)))
            == as_text(two.compress(as_bytes(raw))));
    }
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
