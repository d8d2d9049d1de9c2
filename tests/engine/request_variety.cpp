// SPDX-License-Identifier: Apache-2.0
// The part of request_maker that asks for all else that an engine can do.
#include "tests/engine/request_batch.hpp"
#include "tests/engine/request_maker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor::test {

void request_maker::vary(history::write_request& append, const history& known) {
  if (chance(8)) {
    const auto end = known.end(append.stream);
    append.expected = sequence{chance(80) ? end : pick(end + 2)};
  }
  if (chance(15)) {
    ++orders_;
    const auto back = chance(20) ? pick(20) : 0;
    append.order = fmt::format("{:06}", orders_ - std::min(back, orders_));
  }
  if (chance(6))
    append.content_type = chance(70) ? "text/plain" : "text/html";
  append.creates = !chance(5) && append.stream[3] != 'f';
  append.closes = chance(2);
  if (append.closes && chance(30))
    append.payloads.clear();
  auto& one = producers_[append.stream];
  if (append.by || one.open || !chance(4))
    return;
  // No stream ever expects these.
  append.wrong = true;
  append.by = one.next;
  append.by->number += 1000;
  if (append.by->epoch > 0 && chance(50))
    --append.by->epoch;
}

history::write_request request_maker::create(std::uint64_t tag,
                                             std::int64_t now_ms) {
  history::write_request request{
    write_kind::create, name(), ack::durable, {}, {}};
  if (chance(30))
    add_entries(request, tag, 1 + pick(3));
  if (chance(30))
    request.content_type = chance(70) ? "text/plain" : "text/html";
  request.closes = chance(5);
  if (bounds_ && chance(50) && request.stream.starts_with("t1/"))
    request.keep = keep(now_ms);
  return request;
}

history::write_request request_maker::fork(std::uint64_t tag,
                                           const history& known) {
  history::write_request request{
    write_kind::create, name(), ack::durable, {}, {}};
  // A name that is taken is refused when the source is pinned already.
  if (chance(80))
    request.stream = fork_name();
  request.source = name();
  request.at = sequence{pick(known.end(request.source) + 2)};
  if (chance(30) && properties_of(tag, 0).empty())
    add_entries(request, tag, 1 + pick(3));
  return request;
}

std::optional<history::write_request>
request_maker::retention(std::int64_t now_ms) {
  if (!bounds_)
    return {};
  history::write_request request{write_kind::retention,
                                 fmt::format("t1/s{}", pick(6)),
                                 ack::durable,
                                 {},
                                 {}};
  request.keep = keep(now_ms);
  return request;
}

retention_policy request_maker::keep(std::int64_t now_ms) {
  retention_policy keep;
  switch (pick(6)) {
    case 0: keep.age_ms = 1 + pick(5000); break;
    case 1: keep.bytes = 1 + pick(8000); break;
    case 2: keep.ttl_ms = 1 + pick(5000); break;
    case 3:
      keep.expires_ms = now_ms + static_cast<std::int64_t>(pick(5000));
      break;
    default: keep.entries = 1 + pick(30);
  }
  return keep;
}

std::optional<std::uint64_t> request_maker::settled(const history& known) {
  const auto& one = producers_[name()];
  if (one.open || one.next.number == 0)
    return {};
  const auto& last = known.at(one.tag);
  if (last.known != history::fate::durable || !last.by)
    return {};
  return one.tag;
}

} // namespace torpor::test
