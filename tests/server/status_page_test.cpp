// SPDX-License-Identifier: Apache-2.0
#include "server/status_page.hpp"

#include <doctest/doctest.h>

namespace torpor {

namespace {

constexpr std::string_view small = "<style>a{}</style><p><script>1</script>";

http_request asking(std::string_view known = {}) {
  http_request request{boost::beast::http::verb::get, "/ui", 11};
  if (!known.empty())
    request.set(boost::beast::http::field::if_none_match,
                boost::beast::string_view{known.data(), known.size()});
  return request;
}

} // namespace

TEST_SUITE_BEGIN("status_page");

TEST_CASE("only the scripts and styles of the page itself may run") {
  const auto answer = status_page{small}.answer(asking());
  CHECK(answer["Content-Security-Policy"]
        == "default-src 'none'; "
           "script-src 'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='; "
           "style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; "
           "connect-src 'self'; img-src data:; base-uri 'none'; form-action "
           "'none'; frame-ancestors 'none'");
  CHECK(answer["X-Frame-Options"] == "DENY");
  CHECK(text_of(answer) == small);
}

TEST_CASE("who has the page is told so, until it changes") {
  const status_page page{small};
  const auto first = page.answer(asking());
  CHECK(first.result_int() == 200);
  const std::string tag{first[boost::beast::http::field::etag]};
  const auto again = page.answer(asking(tag));
  CHECK(again.result_int() == 304);
  CHECK(text_of(again).empty());
  const status_page changed{"<script>2</script>"};
  CHECK(changed.answer(asking(tag)).result_int() == 200);
}

TEST_CASE("the page that is compiled in comes from nowhere else") {
  const auto text = status_page_text();
  CHECK(text.starts_with("<!doctype html>"));
  CHECK(text.find("<script>") != text.npos);
  for (const auto* const other : {"src=\"http", "href=\"http", "@import"})
    CHECK(text.find(other) == text.npos);
}

TEST_SUITE_END();

} // namespace torpor
