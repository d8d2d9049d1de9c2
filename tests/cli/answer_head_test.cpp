// SPDX-License-Identifier: Apache-2.0
#include "cli/answer_head.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torpor;

TEST_SUITE_BEGIN("answer_head");

TEST_CASE("a head tells status, length and whether the connection stays") {
  const std::string text = "HTTP/1.1 200 OK\r\nDate: today\r\n"
                           "CONTENT-LENGTH:  12 \r\n\r\nhello";
  const auto head = read_answer_head(text);
  REQUIRE(head);
  REQUIRE(*head);
  CHECK((*head)->status == 200);
  CHECK((*head)->bytes == text.size() - 5);
  CHECK((*head)->has_length);
  CHECK((*head)->body == 12);
  CHECK_FALSE((*head)->closes);
}

TEST_CASE("a connection ends when the server says so, or speaks HTTP/1.0") {
  CHECK((*read_answer_head("HTTP/1.1 204 N\r\nConnection: Close\r\n\r\n"))
          ->closes);
  CHECK((*read_answer_head("HTTP/1.0 204 N\r\n\r\n"))->closes);
  CHECK_FALSE((*read_answer_head("HTTP/1.1 204 N\r\n\r\n"))->has_length);
}

TEST_CASE("a head that arrives byte by byte is awaited") {
  const std::string text = "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n";
  for (std::size_t i = 0; i < text.size(); ++i) {
    CAPTURE(i);
    const auto head = read_answer_head(std::string_view{text}.substr(0, i));
    REQUIRE(head);
    CHECK_FALSE(*head);
  }
  CHECK(*read_answer_head(text));
}

TEST_CASE("what does not speak HTTP is refused at once") {
  for (const auto* text :
       {"SSH-2.0-x", "H2", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 099 No\r\n\r\n", "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n"}) {
    CAPTURE(text);
    CHECK_FALSE(read_answer_head(text));
  }
}

TEST_CASE("a header is found whatever its letters, and only as a whole") {
  const std::string head = "HTTP/1.1 200 OK\r\nX-Stream-Next: 1\r\n"
                           "stream-next: 2\r\nEmpty:\r\n\r\n";
  CHECK(answer_header(head, "Stream-Next") == "2");
  CHECK(answer_header(head, "Empty").empty());
  CHECK(answer_header(head, "Missing").empty());
}

TEST_SUITE_END();
