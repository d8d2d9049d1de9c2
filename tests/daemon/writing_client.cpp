// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/writing_client.hpp"

#include <fmt/format.h>

#include <utility>

namespace torpor::test {

namespace {

using role = written_stream::role;

} // namespace

writing_client::writing_client(
  unsigned number, std::uint64_t seed, client_notes& notes,
  const std::vector<client_notes::known_stream>& shared)
  : number_(number), random_(seed), notes_(notes) {
  const producer self{fmt::format("c{}", number), 0, 0};
  for (const auto& each : shared)
    streams_.push_back({role::shared, each.name, each.id, {}, {}, {}, {}, {},
                        self});
  for (const auto what : {role::own, role::own, role::own, role::fork})
    streams_.push_back({what, {}, {}, {}, {}, {}, {}, {}, self});
}

void writing_client::work(const daemon_place& place) {
  client_.emplace(place);
  if (!begin_life())
    return;
  while (step() && notes_.first_wrong().empty())
    ;
}

/// What was open is settled first; then the new daemon has to know what the
/// last one did.
bool writing_client::begin_life() {
  if (!send() || !repeat_last())
    return false;
  for (auto& each : streams_) {
    if (each.id == stream_id{})
      continue;
    if (each.what != role::shared && !ask_end(each))
      return false;
    if (!append_as_fenced(each))
      return false;
  }
  return true;
}

bool writing_client::step() {
  auto& stream = streams_[pick(streams_.size())];
  if (stream.id == stream_id{})
    return stream.what == role::fork ? fork(stream) : create(stream);
  if (stream.what == role::shared)
    return append(stream);
  const auto dice = pick(100);
  if (dice < 4 || (stream.closed && dice < 50))
    return remove(stream);
  if (dice < 6 && !stream.closed)
    return close(stream);
  return stream.closed ? append_to_closed(stream) : append(stream);
}

open_request& writing_client::begin(http_method method,
                                    const std::string& stream) {
  open_.emplace();
  open_->call.method = method;
  open_->call.target = client_->place().url.stream(stream);
  return *open_;
}

bool writing_client::send() {
  while (open_) {
    open_->call.body = open_->body;
    if (open_->again && open_->removal)
      notes_.again(*open_->removal);
    const auto answer = client_->send(open_->call);
    // A daemon that is told to stop may have done it, too.
    const auto stops = answer && answer->status == 503
                       && answer->body.find("shut_down") != std::string::npos;
    if (!answer || stops) {
      open_->again = true;
      if (open_->once)
        open_.reset();
      return false;
    }
    auto sent = std::exchange(open_, std::nullopt);
    if (!sent->settle(*answer, sent->again)) {
      refuse(*sent, *answer);
      return false;
    }
    if (sent->repeatable) {
      last_ = std::move(sent);
      last_end_ = answer->field("Stream-Next-Offset");
    }
  }
  return true;
}

void writing_client::refuse(const open_request& sent,
                            const http_answer& answer) {
  std::string fields;
  for (const auto& [name, value] : sent.call.fields)
    fields += fmt::format(" {}: {};", name, value);
  notes_.wrong(fmt::format(
    "client {}: method {} of {}{}{} is answered with\n{}{}", number_,
    static_cast<int>(sent.call.method), sent.call.target, fields,
    sent.again ? " (sent again)" : "", answer.head, answer.body));
}

} // namespace torpor::test
