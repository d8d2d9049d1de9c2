// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <charconv>

namespace torpor::test {

namespace {

append_options how_of(const history::write_request& request) {
  append_options how;
  how.ack = request.ack;
  how.expected_next = request.expected;
  how.producer = request.by;
  how.creates = request.creates;
  how.closes = request.closes;
  how.content_type = request.content_type;
  how.order = request.order;
  return how;
}

create_options creation_of(const history::write_request& request) {
  create_options how;
  how.keep = request.keep;
  how.content_type = request.content_type;
  how.closes = request.closes;
  return how;
}

} // namespace

std::string payload_of(std::uint64_t tag, std::size_t entry,
                       std::size_t padding) {
  auto payload = fmt::format("{}/{}/", tag, entry);
  payload.append(padding, 'x');
  return payload;
}

std::vector<property> properties_of(std::uint64_t tag, std::size_t entry) {
  if (tag % 3 != 0)
    return {};
  return {{"of", fmt::format("{}/{}", tag, entry)}, {"empty", ""}};
}

origin origin_of(std::string_view payload) {
  origin from;
  const auto* end = payload.data() + payload.size();
  const auto tag = std::from_chars(payload.data(), end, from.tag);
  if (tag.ec != std::errc{} || tag.ptr == end || *tag.ptr != '/')
    return from;
  const auto entry = std::from_chars(tag.ptr + 1, end, from.entry);
  from.known = entry.ec == std::errc{} && entry.ptr != end && *entry.ptr == '/';
  return from;
}

void add(write_batch& batch, const history::write_request& request,
         std::uint64_t tag) {
  const stream_ref stream{{}, request.stream};
  switch (request.kind) {
    case write_kind::append: batch.append(stream, how_of(request)); break;
    case write_kind::create:
      batch.create(request.stream, creation_of(request));
      break;
    case write_kind::policy: batch.set_policy(stream, {50, 4096, 0}); break;
    case write_kind::retention:
      batch.set_retention(stream, request.keep);
      break;
    case write_kind::truncate: batch.truncate(stream, request.before); break;
    default: batch.control(request.kind, stream);
  }
  for (std::size_t i = 0; i < request.payloads.size(); ++i)
    batch.add(as_bytes(request.payloads[i]), properties_of(tag, i));
  batch.tag(tag);
}

std::unique_ptr<write_batch> to_batch(const history::write_request& request,
                                      std::uint64_t tag) {
  auto batch = std::make_unique<write_batch>();
  add(*batch, request, tag);
  return batch;
}

fork_request to_fork(const history::write_request& request) {
  fork_request fork;
  fork.name = request.stream;
  fork.source_name = request.source;
  fork.at = request.at;
  fork.how = creation_of(request);
  fork.entries = request.payloads;
  return fork;
}

std::string describe(const history::write_request& request, std::uint64_t tag) {
  auto text = fmt::format("{} kind {} '{}' x{} before {} {}", tag,
                          static_cast<int>(request.kind), request.stream,
                          request.payloads.size(), raw(request.before),
                          request.ack == ack::durable ? "durable" : "buffered");
  if (request.by)
    text += fmt::format(" by {}/{}/{}", request.by->id, request.by->epoch,
                        request.by->number);
  if (!request.source.empty())
    text += fmt::format(" from '{}' at {}", request.source, raw(request.at));
  if (request.expected)
    text += fmt::format(" expects {}", raw(*request.expected));
  if (!request.order.empty())
    text += fmt::format(" order {}", request.order);
  if (!request.content_type.empty())
    text += fmt::format(" type {}", request.content_type);
  if (request.keep != retention_policy{})
    text += fmt::format(" keep {} ms {} bytes {} entries, ttl {} ends {}",
                        request.keep.age_ms, request.keep.bytes,
                        request.keep.entries, request.keep.ttl_ms,
                        request.keep.expires_ms);
  return text + (request.closes ? " closes" : "");
}

} // namespace torpor::test
