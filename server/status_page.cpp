// SPDX-License-Identifier: Apache-2.0
#include "server/status_page.hpp"

#include "cli/json.hpp"
#include "server/access_token.hpp"
#include "torpor/types.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

/// The hashes of what stands between <TAG> and </TAG>, as
/// Content-Security-Policy wants them: " 'sha256-...'" for each.
std::string hashes_of(std::string_view page, std::string_view tag) {
  const auto open = fmt::format("<{}>", tag);
  const auto close = fmt::format("</{}>", tag);
  std::string found;
  for (auto at = page.find(open); at != page.npos; at = page.find(open)) {
    page.remove_prefix(at + open.size());
    const auto hash = sha256(page.substr(0, page.find(close)));
    found += fmt::format(" 'sha256-{}'", base64(as_text(hash)));
  }
  return found.empty() ? " 'none'" : found;
}

} // namespace

status_page::status_page(std::string_view text)
  : text_(share(std::string{text})),
    etag_(fmt::format("\"{}\"", to_text(sha256(text)).substr(7, 32))),
    policy_(fmt::format("default-src 'none'; script-src{}; style-src{}; "
                        "connect-src 'self'; img-src data:; base-uri 'none'; "
                        "form-action 'none'; frame-ancestors 'none'",
                        hashes_of(text, "script"), hashes_of(text, "style"))) {
}

http_response status_page::answer(const http_request& request) const {
  namespace http = boost::beast::http;
  const auto known = request[http::field::if_none_match] == etag_;
  http_response answer{known ? http::status::not_modified : http::status::ok,
                       11};
  answer.set(http::field::etag, etag_);
  answer.set(http::field::cache_control, "no-cache");
  answer.set("Content-Security-Policy", policy_);
  answer.set("Referrer-Policy", "no-referrer");
  answer.set("X-Frame-Options", "DENY");
  if (!known) {
    answer.set(http::field::content_type, "text/html; charset=utf-8");
    answer.body() = text_;
  }
  return answer;
}

} // namespace torpor
