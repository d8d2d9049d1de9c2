// SPDX-License-Identifier: Apache-2.0
#include "server/page_body.hpp"
#include "server/stream_answer.hpp"
#include "server/stream_headers.hpp"
#include "server/stream_live.hpp"
#include "server/stream_read.hpp"

#include <utility>

namespace torpor {

namespace {

namespace http = boost::beast::http;

/// One long-poll: waits at the end of a stream.
class poll_reader final : public live_reader,
                          public std::enable_shared_from_this<poll_reader> {
public:
  poll_reader(stream_door& door, http_exchange& exchange,
              std::string_view stream, const stream_query& query)
    : door_(door),
      exchange_(&exchange),
      stream_(stream),
      cursor_(query.cursor),
      now_(query.offset.where == stream_offset::place::now),
      wish_(exchange.request()) {}

  void start(const stream_offset& from) {
    exchange_->on_abort(answer_wait::endless,
                        [self = shared_from_this()] { self->end(); });
    read_page_of(door_, stream_, from,
                 [self = shared_from_this()](result<read_page> page) {
                   self->take(std::move(page));
                 });
  }

  void deliver(live_page& came) override {
    if (exchange_ == nullptr)
      return;
    auto& exchange = *exchange_;
    end();
    exchange.respond(came.page() ? answer_with(came)
                                 : failure_answer(came.page().error(), stream_));
  }

private:
  /// What there is already.
  void take(result<read_page> page) {
    if (exchange_ == nullptr)
      return;
    if (!page || !page->entries.empty() || at_end(*page)) {
      live_page own{std::move(page)};
      return deliver(own);
    }
    exchange_->drop_request();
    from_ = page->next_from;
    timer_ = door_.loop.call_at(
      door_.loop.now_ms() + door_.options.long_poll_ms,
      [self = shared_from_this()] { self->time_out(); });
    door_.feeds.join(shared_from_this(), page->stream, from_);
  }

  void time_out() {
    read_page nothing;
    nothing.next_from = nothing.next = from_;
    live_page own{std::move(nothing)};
    deliver(own);
  }

  [[nodiscard]] http_response answer_with(live_page& came) const {
    const auto& page = *came.page();
    if (!page.entries.empty()) {
      auto made = page_head(page, wish_, door_.cursor(cursor_));
      if (now_) // The same question has another answer in a moment.
        forbid_caching(made);
      made.body() = came.body(wish_.entries);
      return made;
    }
    auto made = answer(http::status::no_content);
    set_place(made, page.next_from, at_end(page));
    set_field(made, field::up_to_date, "true");
    if (!page.closed)
      set_field(made, field::cursor, door_.cursor(cursor_));
    set_field(made, "Cache-Control", "no-store");
    return made;
  }

  /// Nothing is answered from here on.
  void end() {
    exchange_ = nullptr;
    door_.loop.cancel(timer_);
    door_.feeds.leave(*this);
  }

  stream_door& door_;
  http_exchange* exchange_; ///< Null: answered, or the client is gone.
  std::string stream_;
  std::optional<std::uint64_t> cursor_;
  bool now_; ///< It asked for what comes from now on.
  page_wish wish_;
  sequence from_{};
  io_loop::timer timer_;
};

} // namespace

void long_poll(stream_door& door, http_exchange& exchange,
               std::string_view stream, const stream_query& query) {
  std::make_shared<poll_reader>(door, exchange, stream, query)
    ->start(query.offset);
}

} // namespace torpor
