// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/request_maker.hpp"

#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

namespace torpor::test {

std::string request_maker::name() {
  if (forks_ && chance(15))
    return fork_name();
  return fmt::format("t{}/s{}", pick(2), pick(6));
}

std::string request_maker::fork_name() {
  return fmt::format("t{}/f{}", pick(2), pick(4));
}

void request_maker::add_entries(history::write_request& to, std::uint64_t tag,
                                std::uint64_t count) {
  const auto bytes_max = chance(large_percent_) ? 9000 : 300;
  for (std::uint64_t i = 0; i < count; ++i)
    to.payloads.push_back(payload_of(tag, i, pick(bytes_max)));
}

history::write_request request_maker::append(std::uint64_t tag) {
  const auto how = chance(70) ? ack::durable : ack::buffered;
  history::write_request request{write_kind::append, name(), how, {}, {}};
  add_entries(request, tag, 1 + pick(chance(10) ? 20 : 3));
  auto& known = producers_[request.stream];
  if (chance(30) && !known.open) {
    request.by = known.next;
    known.tag = tag;
    known.open = true;
  }
  return request;
}

history::write_request request_maker::truncate(const history& known) {
  history::write_request request{
    write_kind::truncate, name(), ack::durable, {}, {}};
  request.before = sequence{pick(known.end(request.stream) + 2)};
  return request;
}

void request_maker::answered(std::uint64_t tag,
                             const history::write_request& request) {
  if (!request.by || request.wrong)
    return;
  auto& known = producers_[request.stream];
  if (tag < known.tag)
    return; // An older one that was sent again.
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
