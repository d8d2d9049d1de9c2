// SPDX-License-Identifier: Apache-2.0
#include "server/stream_append.hpp"

#include "runtime/stream_name.hpp"
#include "server/content_type.hpp"
#include "server/entries_body.hpp"
#include "server/http_error.hpp"
#include "server/json_messages.hpp"
#include "server/stream_answer.hpp"
#include "server/stream_headers.hpp"

#include <fmt/format.h>

#include <optional>

namespace torpor {

namespace {

namespace http = boost::beast::http;

void append_by_type(stream_door& door, http_exchange& exchange,
                    std::string name);

/// Answers a POST with what became of its append.
class append_waiter final : public write_waiter {
public:
  append_waiter(stream_door& door, http_exchange& exchange,
                std::string_view stream, bool has_entries,
                const append_headers& how)
    : door_(door),
      exchange_(exchange),
      stream_(stream),
      has_entries_(has_entries),
      plain_bytes_(how.type == default_type) {
    if (how.producer)
      producer_ = {how.producer->epoch, how.producer->number};
  }

  void written(const write_batch& batch, std::size_t index) override {
    const auto& outcome = batch.outcome(index);
    // A stream without a type has bytes, too.
    if (outcome.code == errc::mismatch && plain_bytes_)
      return append_by_type(door_, exchange_, stream_);
    exchange_.respond(outcome.code == errc{} ? success(outcome)
                                             : failure(batch, index));
  }

private:
  struct place {
    std::uint64_t epoch;
    std::uint64_t number;
  };

  [[nodiscard]] http_response success(const write_outcome& outcome) const {
    const auto is_new = producer_ && has_entries_ && !outcome.duplicate;
    auto made = answer(is_new ? http::status::ok : http::status::no_content);
    set_place(made, outcome.first + outcome.count, outcome.closed);
    if (producer_) {
      set_field(made, field::producer_epoch, producer_->epoch);
      set_field(made, field::producer_seq, outcome.producer);
    }
    return made;
  }

  [[nodiscard]] http_response failure(const write_batch& batch,
                                      std::size_t index) const {
    const auto& outcome = batch.outcome(index);
    const auto why = batch.failure(index);
    if (why.code == errc::closed) {
      // Who only wants it closed has what he wants.
      auto made = has_entries_ || producer_ ? failure_answer(why, stream_)
                                            : answer(http::status::no_content);
      set_place(made, outcome.first, true);
      return made;
    }
    if (why.code == errc::conflict && producer_
        && outcome.producer != producer_->number)
      return gap(why, outcome.producer);
    auto made = failure_answer(why, stream_);
    if (why.code == errc::conflict)
      set_place(made, outcome.first, false);
    if (why.code == errc::fenced)
      set_field(made, field::producer_epoch, outcome.producer);
    return made;
  }

  /// The producer's number is not the next one. Nobody can have had a number
  /// of its epoch yet when 0 is expected: then it began the epoch wrong.
  [[nodiscard]] http_response gap(const error& why,
                                  std::uint64_t expected) const {
    if (expected == 0 && producer_->epoch > 0)
      return error_response(http::status::bad_request,
                            to_string(errc::invalid_argument),
                            fmt::format("a new epoch begins with Producer-Seq "
                                        "0, not {}",
                                        producer_->number));
    auto made = failure_answer(why, stream_);
    set_field(made, field::expected_seq, expected);
    set_field(made, field::received_seq, producer_->number);
    return made;
  }

  stream_door& door_;
  http_exchange& exchange_;
  std::string stream_;
  bool has_entries_;
  bool plain_bytes_;
  std::optional<place> producer_;
};

/// Answers a DELETE.
class delete_waiter final : public write_waiter {
public:
  delete_waiter(http_exchange& exchange, std::string_view stream)
    : exchange_(exchange),
      stream_(stream) {}

  void written(const write_batch& batch, std::size_t index) override {
    exchange_.respond(batch.outcome(index).code == errc{}
                        ? answer(http::status::no_content)
                        : failure_answer(batch.failure(index), stream_));
  }

private:
  http_exchange& exchange_;
  std::string stream_;
};

using payload_list = std::vector<std::string_view>;

/// The entries that a body brings; none only when the stream is to be closed.
result<payload_list> payloads_in(std::string_view body,
                                 const append_headers& how) {
  if (body.empty())
    return how.closes
             ? result<payload_list>{payload_list{}}
             : fail(errc::invalid_argument,
                    "the body is empty; without Stream-Closed: true an "
                    "append needs one");
  if (how.type.empty())
    return fail(errc::invalid_argument,
                "Content-Type is missing; it has to be that of the stream");
  if (how.type == entries_type)
    return payloads_of(body);
  if (kind_of(how.type) != stream_kind::json)
    return payload_list{body};
  auto messages = json_messages(body);
  if (messages && messages->empty())
    return fail(errc::invalid_argument,
                "the array in the body is empty; an append needs a message");
  return messages;
}

/// `id`: the stream that is meant, if it has been looked at; else 0.
void append(stream_door& door, http_exchange& exchange, std::string_view stream,
            stream_id id, const append_headers& how,
            const payload_list& payloads) {
  append_options options;
  options.ack = how.ack.value_or(door.buffers(stream) ? ack::buffered
                                                      : ack::durable);
  options.expected_next = how.expected_next;
  options.producer = how.producer;
  options.creates = false;
  options.closes = how.closes;
  options.content_type = how.type;
  options.order = how.order;
  auto& batch = door.writes.batch_for(stream, payloads);
  batch.append({id, stream}, options);
  for (const auto each : payloads)
    batch.add(as_bytes(each));
  door.writes.wait(std::make_unique<append_waiter>(door, exchange, stream,
                                                   !payloads.empty(), how));
}

/// Appends what fits to a stream of any type, or of none: what the stream has
/// decides. Entries with boundaries may be JSON to be looked into; that comes
/// as an array.
void append_by_type(stream_door& door, http_exchange& exchange,
                    std::string name) {
  door.store.info(name, [&door, &exchange, name](result<stream_info> info) {
    if (!info)
      return exchange.respond(failure_answer(info.error(), name));
    // The request is what it was when these were parsed before.
    auto how = parse_append(exchange.request()).value();
    const auto payloads = payloads_in(exchange.request().body(), how).value();
    const auto& type = info->content_type;
    const auto fits = how.type == entries_type
                        ? kind_of(type) != stream_kind::json
                        : type.empty();
    if (!fits)
      return exchange.respond(failure_answer(
        {errc::mismatch, fmt::format("append of {} to '{}', whose content type "
                                     "is {}",
                                     how.type, printable(name), type)},
        name));
    how.type = type;
    append(door, exchange, name, info->id, how, payloads);
  });
}

} // namespace

void append_to_stream(stream_door& door, http_exchange& exchange,
                      std::string_view stream) {
  const auto refuse = [&](const error& why) {
    exchange.respond(failure_answer(why, stream));
  };
  const auto how = parse_append(exchange.request());
  if (!how)
    return refuse(how.error());
  const auto payloads = payloads_in(exchange.request().body(), *how);
  if (!payloads)
    return refuse(payloads.error());
  if (how->type == entries_type)
    return append_by_type(door, exchange, std::string{stream});
  append(door, exchange, stream, {}, *how, *payloads);
}

void delete_stream(stream_door& door, http_exchange& exchange,
                   std::string_view stream) {
  door.writes.batch_for(stream).control(write_kind::remove, {{}, stream});
  door.writes.wait(std::make_unique<delete_waiter>(exchange, stream));
}

} // namespace torpor
