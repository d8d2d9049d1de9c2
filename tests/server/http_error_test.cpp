// SPDX-License-Identifier: Apache-2.0
#include "server/http_error.hpp"

#include <doctest/doctest.h>

namespace torpor {

using boost::beast::http::field;
using boost::beast::http::status;

TEST_SUITE_BEGIN("http_error");

TEST_CASE("an error is JSON with a code and a text, and is not cached") {
  const auto answer = error_response(status::conflict, "closed",
                                     "stream \"a\"\nis closed");
  CHECK(answer.result() == status::conflict);
  CHECK(text_of(answer) == "{\"error\":{\"code\":\"closed\",\"message\":\"stream "
                         "\\\"a\\\"\\nis closed\"}}");
  CHECK(answer[field::content_type] == "application/json");
  CHECK(answer[field::cache_control] == "no-store");
  CHECK(error_code_of(answer) == "closed");
}

TEST_CASE("what is no error has no code") {
  http_response answer;
  CHECK(error_code_of(answer).empty());
  answer.body() = share("[{\"error\":{\"code\":\"x\"}}]");
  CHECK(error_code_of(answer).empty());
}

TEST_CASE("a missing stream is named, whatever its name has") {
  const auto answer = no_such_stream("a\n\xff\"b");
  CHECK(answer.result() == status::not_found);
  CHECK(error_code_of(answer) == "not_found");
  CHECK(answer.body()->find('\n') == std::string::npos);
  CHECK(answer.body()->find("does not exist") != std::string::npos);
}

TEST_SUITE_END();

} // namespace torpor
