// SPDX-License-Identifier: Apache-2.0
#include "server/http_connection.hpp"

#include "runtime/assert.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

// How a connection answers.
namespace torpor {

namespace {

namespace http = boost::beast::http;

// A larger body is not copied behind the head.
constexpr std::size_t copied_bytes_max = 16u << 10;

bool has_body(const http_response& answer) {
  return answer.result() != http::status::no_content
         && answer.result() != http::status::not_modified;
}

} // namespace

http_request& http_connection::request() {
  TORPOR_ASSERT(open_ && reader_.started());
  return reader_.request();
}

void http_connection::drop_request() {
  reader_.drop_request();
}

void http_connection::respond(http_response answer) {
  TORPOR_ASSERT(open_ && !begun_);
  end_exchange();
  if (is_gone())
    return;
  keep_alive_ = stays() && !asks_to_close(answer);
  framing_ = head_ || !has_body(answer) ? body_framing::none
                                        : body_framing::length;
  auto& text = owner_.output();
  append_head(text, answer, {framing_, keep_alive_, old_client_},
              owner_.date());
  const auto body = framing_ == body_framing::none ? std::string_view{}
                                                   : text_of(answer);
  if (body.size() <= copied_bytes_max)
    send({{text += body}});
  else
    send({{text}, {body, answer.body()}});
  finish();
}

void http_connection::begin(http_response head) {
  TORPOR_ASSERT(open_ && !begun_);
  begun_ = true;
  reader_.drop_request();
  if (is_gone())
    return;
  if (head_ || !has_body(head))
    framing_ = body_framing::none;
  else
    framing_ = old_client_ ? body_framing::until_close : body_framing::chunked;
  keep_alive_ = stays() && framing_ != body_framing::until_close
                && !asks_to_close(head);
  auto& text = owner_.output();
  append_head(text, head, {framing_, keep_alive_, old_client_}, owner_.date());
  send({{text}});
}

void http_connection::write(shared_text part, std::string_view tail) {
  TORPOR_ASSERT(open_ && begun_);
  const auto bytes = part->size() + tail.size();
  if (is_gone() || framing_ == body_framing::none || bytes == 0)
    return;
  if (framing_ == body_framing::until_close)
    return send({{*part, part}, {tail}});
  std::array<char, 18> size; // 16 digits and the line's end.
  auto* end = std::to_chars(size.data(), size.data() + 16, bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  send({{{size.data(), static_cast<std::size_t>(end - size.data())}},
        {*part, part},
        {tail},
        {"\r\n"}});
}

void http_connection::end() {
  TORPOR_ASSERT(open_ && begun_);
  end_exchange();
  if (is_gone())
    return;
  if (framing_ == body_framing::chunked)
    send({{"0\r\n\r\n"}});
  finish();
}

void http_connection::on_drained(std::function<void()> then) {
  drained_ = std::move(then);
  if (queue_.empty())
    defer<&http_connection::call_drained>();
}

void http_connection::on_abort(answer_wait wait, std::function<void()> then) {
  aborted_ = std::move(then);
  endless_ = wait == answer_wait::endless;
  if (!endless_)
    return;
  if (ended_)
    lose();
  else if (owner_.stopping())
    defer<&http_connection::dismiss>();
}

void http_connection::call_drained() {
  if (!drained_ || !queue_.empty() || is_gone())
    return;
  const auto tell = std::exchange(drained_, nullptr);
  tell();
}

void http_connection::end_exchange() {
  open_ = false;
  aborted_ = nullptr;
  endless_ = false;
  drained_ = nullptr;
  reader_.drop_request();
  if (phase_ == phase::closed) // An exchange that had been given up.
    defer<&http_connection::nothing>();
}

/// Whether there may be a next request.
bool http_connection::stays() const {
  return keep_alive_ && !owner_.stopping() && (!ended_ || reader_.held() > 0);
}

/// Whether answers wait for each other: the requests came together.
bool http_connection::corked() const {
  return in_handler_ && keep_alive_ && reader_.held() > 0;
}

void http_connection::send(out_parts parts) {
  auto sent = queue_.empty() && !corked() ? send_now(parts) : 0;
  if (is_gone())
    return;
  for (const auto& [bytes, owner] : parts) {
    const auto skipped = std::min(sent, bytes.size());
    sent -= skipped;
    if (skipped == bytes.size())
      continue;
    if (owner)
      queue_.add(owner, skipped);
    else
      queue_.add(bytes.substr(skipped));
  }
  if (queue_.empty() || corked())
    return;
  if (!writes_)
    flush();
  else if (deadline_ == 0) // Behind answers that are not taken.
    set_deadline(owner_.options().write_timeout);
}

/// As much as the system takes at once.
std::size_t http_connection::send_now(out_parts parts) {
  std::array<iovec, 4> pieces;
  TORPOR_ASSERT(parts.size() <= pieces.size());
  std::size_t i = 0;
  for (const auto& [bytes, owner] : parts)
    if (!bytes.empty())
      pieces[i++] = {const_cast<char*>(bytes.data()), bytes.size()};
  const auto [result, bytes] = channel_.write(std::span{pieces}.first(i));
  owner_.count_sent(bytes);
  if (result == byte_channel::outcome::failed)
    lose();
  return bytes;
}

void http_connection::flush() {
  using outcome = byte_channel::outcome;
  while (!queue_.empty() && !is_gone()) {
    std::array<iovec, 16> pieces;
    const auto count = queue_.gather(pieces);
    const auto [result, bytes]
      = channel_.write(std::span{pieces}.first(count));
    owner_.count_sent(bytes);
    queue_.consume(bytes);
    if (result == outcome::failed)
      return lose();
    // Between requests the client has another deadline, which stays.
    const bool answers = phase_ == phase::serving || phase_ == phase::sending;
    if (answers && (bytes > 0 || deadline_ == 0))
      set_deadline(owner_.options().write_timeout);
    if (result == outcome::wait_write)
      return watch_write();
    if (result == outcome::wait_read)
      return watch();
  }
  if (is_gone())
    return;
  if (phase_ == phase::sending)
    return after_answer();
  if (phase_ == phase::serving)
    deadline_ = 0;
  if (drained_)
    defer<&http_connection::call_drained>();
}

void http_connection::watch_write() {
  if (writes_ || is_gone())
    return;
  writes_ = true;
  ++pending_;
  channel_.wait_write([this](boost::system::error_code) {
    writes_ = false;
    --pending_;
    if (!is_gone()) {
      if (!queue_.empty())
        flush();
      else
        on_readable(); // TLS had something to say first.
    }
    settle();
  });
}

/// The exchange has ended; its answer may be on its way.
void http_connection::finish() {
  if (is_gone())
    return;
  if (queue_.empty() || corked())
    return after_answer();
  phase_ = phase::sending;
}

void http_connection::after_answer() {
  if (!stays())
    return linger();
  phase_ = phase::idle;
  set_deadline(owner_.options().idle_timeout);
  const bool was_full = std::exchange(full_, false);
  if (!in_handler_ && (was_full || reader_.held() > 0))
    defer<&http_connection::resume>();
}

} // namespace torpor
