// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/request_maker.hpp"

#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor::test {

std::string request_maker::name() {
  return fmt::format("t{}/s{}", pick(2), pick(6));
}

history::write_request request_maker::append(std::uint64_t tag) {
  const auto how = chance(70) ? ack::durable : ack::buffered;
  history::write_request request{write_kind::append, name(), how, {}, {}};
  const auto bytes_max = chance(large_percent_) ? 9000 : 300;
  const auto count = 1 + pick(chance(10) ? 20 : 3);
  for (std::uint64_t i = 0; i < count; ++i)
    request.payloads.push_back(payload_of(tag, i, pick(bytes_max)));
  if (chance(10)) // Some come too late.
    request.order = fmt::format("{:06}", tag - pick(std::min<std::uint64_t>(
                                                 tag + 1, chance(30) ? 9 : 1)));
  request.closes = how == ack::durable && chance(1);
  auto& known = producers_[request.stream];
  if (chance(30) && !known.open) {
    request.by = known.next;
    known.tag = tag;
    known.open = true;
  }
  return request;
}

history::write_request request_maker::truncate(const history& known) {
  history::write_request request{write_kind::truncate, name(), ack::durable,
                                 {}, {}};
  request.before = sequence{pick(known.end(request.stream) + 2)};
  return request;
}

void request_maker::answered(std::uint64_t tag,
                             const history::write_request& request) {
  if (!request.by)
    return;
  auto& known = producers_[request.stream];
  known.tag = tag;
  known.open = request.known == history::fate::unknown;
  known.next = *request.by;
  if (request.known == history::fate::refused) {
    // Perhaps the stream is another one than before: begin anew.
    ++known.next.epoch;
    known.next.number = 0;
  } else if (!known.open) {
    ++known.next.number;
  }
}

std::vector<std::uint64_t> request_maker::open() const {
  std::vector<std::uint64_t> tags;
  for (const auto& [stream, known] : producers_)
    if (known.open)
      tags.push_back(known.tag);
  return tags;
}

} // namespace torpor::test
