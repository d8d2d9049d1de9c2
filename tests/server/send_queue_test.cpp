// SPDX-License-Identifier: Apache-2.0
#include "server/send_queue.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace torpor;

namespace {

std::string front_of(const send_queue& queue, std::size_t parts) {
  std::array<iovec, 8> pieces;
  const auto count = queue.gather(std::span{pieces}.first(parts));
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text.append(static_cast<const char*>(pieces[i].iov_base),
                pieces[i].iov_len);
  return text;
}

} // namespace

TEST_CASE("parts leave in the order in which they came, in any steps") {
  for (std::size_t step = 1; step <= 12; ++step) {
    send_queue queue;
    CHECK(queue.empty());
    queue.add("abc");
    queue.add(share("xxdefg"), 2);
    queue.add(share("gone"), 4);
    queue.add("hijkl");
    CHECK(queue.bytes() == 12);
    CHECK(front_of(queue, 1) == "abc");
    std::string taken;
    while (!queue.empty()) {
      const auto all = front_of(queue, 8);
      CHECK(all.size() == queue.bytes());
      taken += all.substr(0, step);
      queue.consume(std::min(step, all.size()));
    }
    CHECK(taken == "abcdefghijkl");
  }
}

TEST_CASE("a part that was sent is let go, one that waits is shared") {
  const auto text = share("text");
  send_queue queue;
  queue.add(text);
  queue.add(text);
  queue.add(text);
  CHECK(text.use_count() == 4);
  queue.consume(4);
  CHECK(text.use_count() == 3);
  queue.consume(8);
  CHECK(text.use_count() == 1);
}
