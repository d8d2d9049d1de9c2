// SPDX-License-Identifier: Apache-2.0
// The part of writing_client that appends.
#include "tests/daemon/writing_client.hpp"

#include "cli/entry_frames.hpp"
#include "cli/stream_offset_text.hpp"
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

namespace torpor::test {

namespace {

using role = written_stream::role;

bool is_error(const http_answer& answer, std::string_view code) {
  return answer.body.find(fmt::format("\"{}\"", code)) != std::string::npos;
}

void add_producer(open_request& sent, const producer& by) {
  sent.call.fields.emplace_back("Producer-Id", by.id);
  sent.call.fields.emplace_back("Producer-Epoch", fmt::to_string(by.epoch));
  sent.call.fields.emplace_back("Producer-Seq", fmt::to_string(by.number));
}

std::string order_text(std::uint64_t order) {
  return fmt::format("{:08}", order);
}

} // namespace

std::vector<std::string> writing_client::payloads(std::uint64_t tag) {
  const auto count = chance(60) ? 1 : 1 + pick(chance(10) ? 20 : 3);
  const auto bytes_max = count < 4 && chance(10) ? 8000 : 300;
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < count; ++i)
    all.push_back(payload_of(tag, i, pick(bytes_max)));
  return all;
}

/// One entry is a body, more of them need their boundaries.
void writing_client::fill(open_request& sent,
                          const std::vector<std::string>& payloads) {
  const auto single = payloads.size() == 1;
  sent.call.fields.emplace_back(
    "Content-Type", single ? "text/plain" : entry_frames_type);
  sent.body = single ? payloads[0] : to_entry_frames({payloads.begin(),
                                                      payloads.end()});
}

/// Only what is its own can be put in order by one client, and only what needs
/// no proof may be buffered: a crash takes it back.
bool writing_client::append(written_stream& to) {
  addition added{to};
  const auto own = to.what != role::shared;
  added.how = own ? static_cast<proof>(pick(4)) : proof::producer;
  added.closes = own && chance(2);
  added.buffered = added.how == proof::none && !added.closes && chance(50);
  if (added.how == proof::producer && chance(5)) {
    ++to.by.epoch;
    to.by.number = 0;
  }
  auto& sent = begin(http_method::post, to.name);
  add_proof(sent, added);
  added.tag = notes_.sent([&](std::uint64_t tag) {
    history::write_request request{write_kind::append, to.name,
                                   added.buffered ? ack::buffered : ack::durable,
                                   payloads(tag), {}};
    if (added.how == proof::producer)
      request.by = to.by;
    if (added.how == proof::order)
      request.order = order_text(to.order);
    if (added.how == proof::place)
      request.expected = added.expected;
    request.closes = added.closes;
    added.count = request.payloads.size();
    fill(sent, request.payloads);
    return request;
  });
  if (added.closes)
    sent.call.fields.emplace_back("Stream-Closed", "true");
  sent.settle = [this, added](const http_answer& answer, bool again) {
    return settle(added, answer, again);
  };
  return send();
}

void writing_client::add_proof(open_request& sent, addition& added) {
  auto& to = added.to;
  if (added.buffered)
    sent.call.fields.emplace_back("Torpor-Ack", "buffered");
  switch (added.how) {
    case proof::none: sent.once = true; break;
    case proof::producer:
      add_producer(sent, to.by);
      sent.repeatable = true;
      break;
    case proof::order:
      sent.call.fields.emplace_back("Stream-Seq",
                                    order_text(++to.order));
      break;
    case proof::place:
      added.expected = to.end;
      sent.call.fields.emplace_back("Torpor-Expected-Offset",
                                    offset_text(to.end));
      break;
  }
}

bool writing_client::settle(const addition& added, const http_answer& answer,
                            bool again) {
  const auto ended = answer.status == 409
                     && (is_error(answer, "conflict")
                         || is_error(answer, "closed"));
  if (ended)
    return again && added.how >= proof::order && settle_refused(added, answer);
  const auto has_producer = added.how == proof::producer;
  const auto repeated = has_producer && answer.status == 204;
  const auto next = read_offset(answer.field("Stream-Next-Offset"));
  const auto good = answer.status == (has_producer ? 200 : 204);
  if (!next || !(good || (repeated && again)))
    return false;
  settle_at(added, *next);
  return true;
}

/// The order or the place is taken: by the request itself, when it was sent
/// before, since nobody else writes here. Or by nobody, when buffered entries
/// before its place are lost.
bool writing_client::settle_refused(const addition& added,
                                    const http_answer& answer) {
  const auto next = read_offset(answer.field("Stream-Next-Offset"));
  if (!next)
    return false;
  if (added.how == proof::place && *next < added.expected) {
    notes_.refused(added.tag, errc::conflict);
    added.to.end = *next;
    return true;
  }
  if (added.how == proof::place && *next != added.expected + added.count)
    return false;
  settle_at(added, *next);
  return true;
}

/// It is there, and ends before `next`.
void writing_client::settle_at(const addition& added, sequence next) {
  auto& to = added.to;
  notes_.succeeded(added.tag, to.id, sequence{raw(next) - added.count});
  to.closed = to.closed || added.closes;
  to.end = next;
  if (!added.buffered)
    to.durable = next;
  if (added.how == proof::producer)
    ++to.by.number;
}

bool writing_client::append_to_closed(written_stream& to) {
  auto& sent = begin(http_method::post, to.name);
  const auto tag = notes_.sent([&](std::uint64_t made) {
    history::write_request request{write_kind::append, to.name, ack::durable,
                                   {payload_of(made, 0, 10)}, {}};
    fill(sent, request.payloads);
    return request;
  });
  sent.settle = [this, tag](const http_answer& answer, bool) {
    notes_.refused(tag, errc::closed);
    return answer.status == 409 && is_error(answer, "closed");
  };
  return send();
}

/// What a producer was told is written is not written again, whoever lives now,
/// and the answer is the first one's.
bool writing_client::repeat_last() {
  if (!last_)
    return true;
  open_ = last_;
  open_->settle = [this](const http_answer& answer, bool) {
    return answer.status == 204
           && answer.field("Stream-Next-Offset") == last_end_;
  };
  return send();
}

/// A producer of an older epoch, which another one has ended.
bool writing_client::append_as_fenced(written_stream& to) {
  if (to.by.epoch == 0 || to.by.number == 0)
    return true;
  auto old = to.by;
  --old.epoch;
  auto& sent = begin(http_method::post, to.name);
  const auto tag = notes_.sent([&](std::uint64_t made) {
    history::write_request request{write_kind::append, to.name, ack::durable,
                                   {payload_of(made, 0, 10)}, old};
    fill(sent, request.payloads);
    return request;
  });
  add_producer(sent, old);
  sent.settle = [this, tag](const http_answer& answer, bool) {
    notes_.refused(tag, errc::fenced);
    return answer.status == 403 && is_error(answer, "fenced");
  };
  return send();
}

} // namespace torpor::test
