// SPDX-License-Identifier: Apache-2.0
// The part of writing_client that makes streams and ends them.
#include "tests/daemon/writing_client.hpp"

#include "cli/stream_info_json.hpp"
#include "cli/stream_offset_text.hpp"
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <utility>

namespace torpor::test {

namespace {

using role = written_stream::role;

history::write_request request_of(write_kind kind, const std::string& stream) {
  return {kind, stream, ack::durable, {}, {}};
}

} // namespace

/// With a first entry, as a rule; again it is the same.
bool writing_client::create(written_stream& made) {
  if (made.name.empty() || made.has_forks)
    made.name = fmt::format("c{}/s{}", number_, names_++);
  std::vector<std::uint64_t> tags{notes_.sent([&](std::uint64_t) {
    return request_of(write_kind::create, made.name);
  })};
  auto& sent = begin(http_method::put, made.name);
  sent.call.fields.emplace_back("Content-Type", "text/plain");
  if (chance(70)) {
    tags.push_back(notes_.sent([&](std::uint64_t tag) {
      auto request = request_of(write_kind::append, made.name);
      request.payloads = {payload_of(tag, 0, pick(300))};
      sent.body = request.payloads[0];
      return request;
    }));
  }
  sent.settle = [this, &made, tags](const http_answer& answer, bool again) {
    if (answer.status != 201 && !(again && answer.status == 200))
      return false;
    learn(made, tags, sequence{});
    return true;
  };
  return send();
}

bool writing_client::fork(written_stream& made) {
  auto& source = streams_[pick(streams_.size())];
  if (source.what != role::own || source.id == stream_id{})
    return true;
  made.name = fmt::format("c{}/f{}", number_, names_++);
  source.has_forks = true;
  const auto at = sequence{pick(raw(source.durable) + 1)};
  const auto tag = notes_.sent([&](std::uint64_t) {
    auto request = request_of(write_kind::create, made.name);
    request.source = source.name;
    request.at = at;
    return request;
  });
  auto& sent = begin(http_method::put, made.name);
  sent.call.fields.emplace_back("Stream-Forked-From",
                                client_->place().url.stream(source.name));
  sent.call.fields.emplace_back("Stream-Fork-Offset", offset_text(at));
  notes_.forking(made.name, source.id);
  sent.settle = [this, &made, tag, at](const http_answer& answer,
                                         bool again) {
    if (answer.status != 201 && !(again && answer.status == 200))
      return false;
    learn(made, {tag}, at);
    return true;
  };
  return send();
}

/// Asks for the id of a stream that is there now, and notes that it is.
void writing_client::learn(written_stream& made, std::vector<std::uint64_t> tags,
                           sequence begins) {
  auto& sent = begin(http_method::get, made.name);
  sent.call.target = "/v1/streams/" + made.name;
  sent.settle = [this, &made, tags = std::move(tags),
                 begins](const http_answer& answer, bool) {
    const auto info = read_stream_info(answer.body);
    if (answer.status != 200 || !info)
      return false;
    const auto entries = tags.size() - 1;
    made = {made.what, made.name, info->id, false, false, begins + entries,
            begins + entries, 0, {made.by.id, 0, 0}};
    for (const auto tag : tags)
      notes_.succeeded(tag, made.id, begins);
    return raw(info->next) == raw(made.end);
  };
}

bool writing_client::close(written_stream& ended) {
  const auto tag = notes_.sent([&](std::uint64_t) {
    return request_of(write_kind::close, ended.name);
  });
  auto& sent = begin(http_method::post, ended.name);
  sent.call.fields.emplace_back("Stream-Closed", "true");
  sent.settle = [this, &ended, tag](const http_answer& answer, bool) {
    if (answer.status != 204 || !answer.flag("Stream-Closed"))
      return false;
    ended.closed = true;
    notes_.succeeded(tag, ended.id);
    return true;
  };
  return send();
}

bool writing_client::remove(written_stream& gone) {
  const auto tag = notes_.sent([&](std::uint64_t) {
    return request_of(write_kind::remove, gone.name);
  });
  auto& sent = begin(http_method::remove, gone.name);
  sent.removal = tag;
  sent.settle = [this, &gone, tag](const http_answer& answer, bool again) {
    const auto was_gone = answer.status == 404
                          || (gone.has_forks && answer.status == 410);
    if (answer.status != 204 && !(again && was_gone))
      return false;
    notes_.succeeded(tag, std::exchange(gone.id, {}));
    if (last_ && last_->call.target == client_->place().url.stream(gone.name))
      last_.reset();
    return true;
  };
  return send();
}

/// All that is there after a start is durable, and no less than was promised.
bool writing_client::ask_end(written_stream& of) {
  auto& sent = begin(http_method::head, of.name);
  sent.settle = [&of](const http_answer& answer, bool) {
    const auto end = read_offset(answer.field("Stream-Next-Offset"));
    if (answer.status != 200 || !end || *end < of.durable
        || answer.flag("Stream-Closed") < of.closed)
      return false;
    of.end = of.durable = *end;
    of.closed = answer.flag("Stream-Closed");
    return true;
  };
  return send();
}

} // namespace torpor::test
