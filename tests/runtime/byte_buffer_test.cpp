// SPDX-License-Identifier: Apache-2.0
#include "runtime/byte_buffer.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace torpor;

TEST_SUITE("byte_buffer") {
  TEST_CASE("what was appended stays when the buffer grows") {
    std::mt19937_64 random{3};
    byte_buffer buffer;
    std::string model;
    for (int round = 0; round < 500; ++round) {
      const std::string more(random() % 300, static_cast<char>(random()));
      buffer.append(as_bytes(more));
      model += more;
      REQUIRE(buffer.size() == model.size());
      REQUIRE(as_text(buffer.view()) == model);
      REQUIRE(buffer.capacity() >= buffer.size());
    }
  }

  TEST_CASE("reserved bytes count only when they are taken over") {
    byte_buffer buffer;
    buffer.append(as_bytes("ab"));
    auto* room = buffer.reserve(1000);
    room[0] = std::byte{'c'};
    CHECK(as_text(buffer.view()) == "ab");
    buffer.grow(1);
    CHECK(as_text(buffer.view()) == "abc");
  }

  TEST_CASE("growing byte by byte copies each byte a few times only") {
    byte_buffer buffer;
    std::size_t moves = 0;
    const std::byte* at = nullptr;
    for (int i = 0; i < 1 << 20; ++i) {
      buffer.append(as_bytes("x"));
      if (buffer.data() != at)
        ++moves;
      at = buffer.data();
    }
    CHECK(moves <= 13); // 256 bytes doubled 12 times.
  }

  TEST_CASE("a cleared buffer is empty and keeps its memory") {
    byte_buffer buffer;
    buffer.append(as_bytes(std::string(1000, 'x')));
    const auto capacity = buffer.capacity();
    buffer.clear();
    CHECK(buffer.size() == 0);
    CHECK(buffer.view().empty());
    CHECK(buffer.capacity() == capacity);
  }

  TEST_CASE("a shrunk buffer keeps no more memory than it may") {
    byte_buffer buffer;
    buffer.append(as_bytes(std::string(300, 'x')));
    buffer.shrink(1024);
    CHECK(buffer.size() == 0);
    CHECK(buffer.capacity() > 0);
    buffer.append(as_bytes(std::string(5000, 'x')));
    buffer.shrink(1024);
    CHECK(buffer.size() == 0);
    CHECK(buffer.capacity() == 0);
    buffer.append(as_bytes("again"));
    CHECK(as_text(buffer.view()) == "again");
  }

  TEST_CASE("appending nothing to an empty buffer takes no memory") {
    byte_buffer buffer;
    buffer.append({});
    CHECK(buffer.capacity() == 0);
    CHECK(buffer.view().empty());
  }
}
