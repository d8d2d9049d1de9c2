// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/history.hpp"

#include <algorithm>

namespace torpor::test {

std::uint64_t history::sent(write_request added) {
  requests_.push_back(std::move(added));
  return requests_.size() - 1;
}

void history::answered(std::uint64_t tag, const write_outcome& outcome) {
  auto& request = requests_[tag];
  request.answered_at = size();
  if (outcome.code != errc{}) {
    // These two say that the store does not know either.
    const auto open = outcome.code == errc::io_failed
                      || outcome.code == errc::shut_down;
    request.known = open ? fate::unknown : fate::refused;
    if (open && request.kind == write_kind::remove)
      note_maybe_removed(request.stream);
    return;
  }
  request.id = outcome.stream;
  names_[outcome.stream] = request.stream;
  request.first = outcome.first;
  const auto durable = request.kind != write_kind::append
                       || request.ack == ack::durable;
  request.known = durable ? fate::durable : fate::buffered;
  if (!durable)
    return;
  if (request.kind == write_kind::append)
    durable_[outcome.stream].push_back(tag);
  if (request.kind == write_kind::truncate)
    truncated_[outcome.stream]
      = std::max(truncated_[outcome.stream], request.before);
  if (request.kind == write_kind::remove)
    removed_.insert(outcome.stream);
  else
    created_.insert(outcome.stream);
  if (request.kind == write_kind::close || request.closes)
    closed_.insert(outcome.stream);
}

void history::synced(const std::vector<std::uint64_t>& tags) {
  for (const auto tag : tags) {
    auto& request = requests_[tag];
    if (request.known != fate::buffered)
      continue;
    request.known = fate::durable;
    durable_[request.id].push_back(tag);
    created_.insert(request.id);
  }
}

void history::seen(const found_stream& found) {
  names_[found.id] = found.name;
  truncated_[found.id] = found.first;
  created_.insert(found.id);
  auto& known = seen_[found.id];
  for (std::size_t i = 0; i < found.payloads.size(); ++i)
    known[raw(found.first) + i].payload = found.payloads[i];
}

void history::settle() {
  for (auto& request : requests_)
    if (request.kind == write_kind::truncate && request.known == fate::unknown)
      request.known = fate::refused;
}

void history::note_maybe_removed(const std::string& name) {
  for (const auto& [id, called] : names_)
    if (called == name)
      maybe_removed_.insert(id);
}

void history::crashed() {
  for (auto& request : requests_) {
    if (request.known == fate::buffered)
      request.known = fate::unknown;
    // A remove without an answer may have happened.
    if (request.kind == write_kind::remove && request.known == fate::unknown)
      note_maybe_removed(request.stream);
  }
}

void history::distrust(const history& before) {
  for (std::uint64_t tag = 0; tag < size(); ++tag) {
    auto& request = requests_[tag];
    const auto trusted = tag < before.size()
                         && before.at(tag).known == fate::durable;
    if (request.known != fate::durable || trusted)
      continue;
    request.known = fate::unknown;
    request.doubted = true;
  }
  seen_ = before.seen_;
  truncated_ = before.truncated_;
  durable_ = before.durable_;
  created_ = before.created_;
  closed_ = before.closed_;
  removed_ = before.removed_;
  distrusts_ = true;
  crashed();
}

std::set<stream_id> history::alive() const {
  auto alive = created_;
  for (const auto id : removed_)
    alive.erase(id);
  for (const auto id : maybe_removed_)
    alive.erase(id);
  return alive;
}

std::uint64_t history::end(const std::string& name) const {
  std::uint64_t end = 0;
  for (const auto& request : requests_)
    if (request.stream == name && request.kind == write_kind::append
        && request.id != stream_id{} && !removed_.contains(request.id))
      end = std::max(end, raw(request.first) + request.payloads.size());
  return end;
}

bool history::may_be(write_kind kind, const std::string& name,
                     sequence before) const {
  return std::any_of(requests_.begin(), requests_.end(),
                     [&](const auto& request) {
                       return request.kind == kind && request.stream == name
                              && request.known != fate::refused
                              && request.before >= before;
                     });
}

} // namespace torpor::test
