// SPDX-License-Identifier: Apache-2.0
#include "server/entries_body.hpp"

#include <doctest/doctest.h>

using namespace torpor;

TEST_CASE("entries keep their boundaries, times and properties") {
  const std::string properties = "xyz";
  const auto body = entries_body(
    {{sequence{1}, 0x0102, as_bytes("hello"), as_bytes(properties)},
     {sequence{2}, -1, {}, {}}});
  const std::string expected{"\5\0\0\0\3\0\0\0\2\1\0\0\0\0\0\0xyzhello"
                             "\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
                             40};
  CHECK(body == expected);
  CHECK(payloads_of(body).value()
        == std::vector<std::string_view>{"hello", ""});
}

TEST_CASE("a body that ends in the middle of an entry is refused") {
  const auto body = entries_body({{sequence{}, 1, as_bytes("abc"), {}}});
  for (std::size_t size = 1; size < body.size(); ++size)
    CHECK_FALSE(payloads_of(body.substr(0, size)));
  CHECK_FALSE(payloads_of(body + "x"));
  CHECK_FALSE(payloads_of(std::string(16, '\xff')));
  CHECK(payloads_of("").value().empty());
}
