// SPDX-License-Identifier: Apache-2.0
#include "server/content_type.hpp"
#include "server/page_body.hpp"
#include "server/stream_answer.hpp"
#include "server/stream_headers.hpp"
#include "server/stream_live.hpp"
#include "server/stream_read.hpp"

#include <utility>

namespace torpor {

namespace {

namespace http = boost::beast::http;

http_response events_head(const read_page& page) {
  auto head = answer(http::status::ok);
  head.set(http::field::content_type, "text/event-stream");
  head.set(http::field::cache_control, "no-cache");
  if (kind_of(type_of(page)) == stream_kind::bytes)
    set_field(head, field::data_encoding, "base64");
  return head;
}

/// One client that gets events.
class event_reader final : public live_reader,
                           public std::enable_shared_from_this<event_reader> {
public:
  event_reader(stream_door& door, http_exchange& exchange,
               std::optional<std::uint64_t> cursor)
    : door_(door),
      exchange_(&exchange),
      cursor_(door.cursor(cursor)) {}

  void start(const std::string& stream, const stream_offset& from) {
    exchange_->on_abort(answer_wait::endless,
                        [self = shared_from_this()] { self->leave(); });
    read_page_of(door_, stream, from,
                 [self = shared_from_this(), stream](result<read_page> page) {
                   self->begin(stream, std::move(page));
                 });
  }

  void deliver(live_page& page) override {
    if (exchange_ == nullptr)
      return;
    if (!page.page())
      return end();
    // Whoever has not taken what came before reads this later by himself.
    const auto unsent = exchange_->unsent_bytes();
    if (unsent > 0
        && unsent + page.event()->size() > door_.options.read_bytes_max)
      return catch_up();
    send(page);
  }

private:
  void begin(const std::string& stream, result<read_page> page) {
    if (exchange_ == nullptr)
      return;
    if (!page) {
      auto& exchange = *exchange_;
      leave();
      return exchange.respond(failure_answer(page.error(), stream));
    }
    stream_ = page->stream;
    exchange_->begin(events_head(*page));
    timer_ = door_.loop.call_at(door_.loop.now_ms()
                                  + door_.options.sse_lifetime_ms,
                                [self = shared_from_this()] { self->end(); });
    live_page own{std::move(page)};
    send(own);
  }

  /// Writes a page, and goes on behind it.
  void send(live_page& came) {
    const auto& page = *came.page();
    from_ = page.next_from;
    cursor_ = std::max(cursor_, door_.cursor({}));
    const auto self = shared_from_this(); // A write may be where it ends.
    // In one, so that a client gets both or none.
    exchange_->write(came.event(), control_of(page, cursor_));
    if (exchange_ == nullptr)
      return;
    if (at_end(page))
      end();
    else if (at_tail(page))
      door_.feeds.join(self, stream_, from_);
    else
      catch_up();
  }

  /// Reads on when the client has taken what was written.
  void catch_up() {
    exchange_->on_drained([self = shared_from_this()] { self->read_on(); });
  }

  void read_on() {
    if (exchange_ == nullptr)
      return;
    read_page_on(door_, stream_, from_,
                 [self = shared_from_this()](result<read_page> page) {
                   if (self->exchange_ == nullptr)
                     return;
                   if (!page)
                     return self->end();
                   live_page own{std::move(page)};
                   self->send(own);
                 });
  }

  /// Ends the answer behind the last control event.
  void end() {
    if (exchange_ == nullptr)
      return;
    auto& exchange = *exchange_;
    leave();
    exchange.end();
  }

  /// Nothing is written from here on.
  void leave() {
    exchange_ = nullptr;
    door_.loop.cancel(timer_);
    door_.feeds.leave(*this);
  }

  stream_door& door_;
  http_exchange* exchange_; ///< Null: ended, or the client is gone.
  std::uint64_t cursor_;    ///< Of the last control event; never goes back.
  stream_id stream_{};
  sequence from_{};
  io_loop::timer timer_;
};

} // namespace

void stream_events(stream_door& door, http_exchange& exchange,
                   std::string_view stream, const stream_query& query) {
  std::make_shared<event_reader>(door, exchange, query.cursor)
    ->start(std::string{stream}, query.offset);
}

} // namespace torpor
