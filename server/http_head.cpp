// SPDX-License-Identifier: Apache-2.0
#include "server/http_head.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <fmt/chrono.h>

#include <charconv>

namespace torpor {

namespace {

namespace http = boost::beast::http;
using http::field;

struct standard_header {
  std::string_view name;
  std::string_view line;
};

constexpr standard_header standard[] = {
  {"X-Content-Type-Options", "X-Content-Type-Options: nosniff\r\n"},
  {"Cross-Origin-Resource-Policy",
   "Cross-Origin-Resource-Policy: cross-origin\r\n"},
  {"Access-Control-Allow-Origin", "Access-Control-Allow-Origin: *\r\n"},
  {"Access-Control-Expose-Headers",
   "Access-Control-Expose-Headers: ETag, Location, Retry-After, "
   "Stream-Next-Offset, Stream-Cursor, Stream-Up-To-Date, Stream-Closed, "
   "Stream-TTL, Stream-Expires-At, Stream-SSE-Data-Encoding, Producer-Epoch, "
   "Producer-Seq, Producer-Expected-Seq, Producer-Received-Seq\r\n"},
};

void append_number(std::string& to, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  to.append(digits, end);
}

void append_text(std::string& to, boost::beast::string_view text) {
  to.append(text.data(), text.size());
}

/// Whether a field is the connection's business.
bool is_ours(field name, body_framing framing) {
  switch (name) {
    case field::connection:
    case field::date:
    case field::keep_alive:
    case field::transfer_encoding: return true;
    case field::content_length: return framing != body_framing::none;
    default: return false;
  }
}

void append_status(std::string& to, const http_response& answer) {
  to.append("HTTP/1.1 ");
  append_number(to, answer.result_int());
  to.push_back(' ');
  append_text(to, answer.reason());
  to.append("\r\n");
}

void append_framing(std::string& to, const http_response& answer,
                    const answer_form& form) {
  if (form.framing == body_framing::length) {
    to.append("Content-Length: ");
    append_number(to, text_of(answer).size());
    to.append("\r\n");
  } else if (form.framing == body_framing::chunked) {
    to.append("Transfer-Encoding: chunked\r\n");
  }
  if (!form.keep_alive)
    to.append("Connection: close\r\n");
  else if (form.old_client)
    to.append("Connection: keep-alive\r\n");
}

} // namespace

void append_standard_headers(std::string& to, const http::fields& brought) {
  for (const auto& each : standard)
    if (brought.find({each.name.data(), each.name.size()}) == brought.end())
      to.append(each.line);
}

void append_head(std::string& to, const http_response& answer,
                 const answer_form& form, std::string_view date) {
  append_status(to, answer);
  for (const auto& each : answer.base()) {
    if (is_ours(each.name(), form.framing))
      continue;
    append_text(to, each.name_string());
    to.append(": ");
    append_text(to, each.value());
    to.append("\r\n");
  }
  append_framing(to, answer, form);
  to.append("Date: ").append(date).append("\r\n");
  append_standard_headers(to, answer.base());
  to.append("\r\n");
}

bool asks_to_close(const http_response& answer) {
  const auto found = answer.find(field::connection);
  return found != answer.end()
         && http::token_list{found->value()}.exists("close");
}

std::string_view date_text::at(std::int64_t wall_ms) {
  const auto second = wall_ms / 1000;
  if (second != second_) {
    second_ = second;
    text_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                        fmt::gmtime(static_cast<std::time_t>(second)));
  }
  return text_;
}

} // namespace torpor
