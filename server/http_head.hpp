// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace torpor {

/// How a client can tell where an answer's body ends.
enum class body_framing {
  length,      ///< Content-Length.
  chunked,     ///< Chunks, the last one empty.
  until_close, ///< The connection's end, for HTTP/1.0.
  none,        ///< There is no body: to HEAD, or 204 and 304.
};

/// What the connection adds to an answer.
struct answer_form {
  body_framing framing = body_framing::length;
  bool keep_alive = true;
  bool old_client = false; ///< HTTP/1.0, which has to be told of keep_alive.
};

/// Appends an answer's head up to its blank line: status line, the fields that
/// it brings, Date, and the standard headers. What says where the body ends and
/// what becomes of the connection is the form's, not the answer's, but for the
/// Content-Length of an answer without a body. `date` is a `date_text`'s.
void append_head(std::string& to, const http_response& answer,
                 const answer_form& form, std::string_view date);

/// Appends the headers that every answer has, unless the fields bring their
/// own: X-Content-Type-Options, Cross-Origin-Resource-Policy, and those of CORS
/// which open the door to pages of any origin.
void append_standard_headers(std::string& to,
                             const boost::beast::http::fields& brought);

/// Whether an answer says that the connection is to be closed.
[[nodiscard]] bool asks_to_close(const http_response& answer);

/// The time as the field Date has it, made once a second.
/// Threads: one owner.
class date_text {
public:
  [[nodiscard]] std::string_view at(std::int64_t wall_ms);

private:
  std::int64_t second_ = -1;
  std::string text_;
};

} // namespace torpor
