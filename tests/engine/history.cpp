// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/history.hpp"

#include <algorithm>

namespace torpor::test {

std::uint64_t history::sent(write_request added) {
  added.since_ms = now_ms_;
  requests_.push_back(std::move(added));
  return requests_.size() - 1;
}

void history::again(std::uint64_t tag) {
  auto& request = requests_[tag];
  request.repeated = true;
  if (request.known == fate::refused)
    request.known = fate::unknown;
  if (request.known != fate::durable)
    request.over_at = 0;
  request.since_ms = std::min(request.since_ms, now_ms_);
}

void history::turned(std::int64_t wall_ms) {
  if (wall_ms < now_ms_)
    for (auto& request : requests_)
      if (request.known == fate::unknown)
        request.since_ms = std::min(request.since_ms, wall_ms);
  now_ms_ = wall_ms;
  latest_ms_ = std::max(latest_ms_, wall_ms);
}

void history::synced(const std::vector<std::uint64_t>& tags) {
  for (const auto tag : tags) {
    auto& request = requests_[tag];
    if (request.known != fate::buffered)
      continue;
    request.known = fate::durable;
    request.answered_at = request.over_at = size();
    durable_[request.id].push_back(tag);
    created_.emplace(request.id, size());
  }
}

void history::seen(const found_stream& found) {
  names_[found.id] = found.name;
  truncated_[found.id] = found.first;
  created_.emplace(found.id, size());
  auto& known = seen_[found.id];
  for (std::size_t i = 0; i < found.payloads.size(); ++i) {
    auto& entry = known[raw(found.first) + i];
    entry.payload = found.payloads[i];
    if (!found.times.empty())
      entry.time_ms = found.times[i];
  }
}

/// What was truncated up to where a fork begins changed nothing.
void history::seen(stream_id id, const fork_origin& origin) {
  if (origin.source == stream_id{} || !origins_.emplace(id, origin).second)
    return;
  if (const auto known = truncated_.find(id);
      known != truncated_.end() && known->second <= origin.at)
    truncated_.erase(known);
}

void history::settle(const std::set<stream_id>& there) {
  std::set<std::string> gone;
  for (const auto id : maybe_removed_) {
    if (there.contains(id))
      continue;
    gone.insert(names_.at(id));
    // Else its number may be used again, or the clock be set back.
    if (created_.contains(id) && !may_expire(names_.at(id), id))
      removed_.emplace(id, size());
  }
  maybe_removed_.clear();
  for (auto& request : requests_) {
    const auto decided = request.kind == write_kind::truncate
                         || (request.kind == write_kind::remove
                             && !gone.contains(request.stream));
    if (decided && request.known == fate::unknown)
      request.known = fate::refused;
  }
}

void history::note_maybe_removed(const std::string& name) {
  for (const auto& [id, called] : names_)
    if (called == name)
      maybe_removed_.insert(id);
}

void history::crashed() {
  for (auto& request : requests_) {
    if (request.over_at == 0)
      request.over_at = size();
    if (request.known == fate::buffered)
      request.known = fate::unknown;
    // A remove without an answer may have happened.
    if (request.kind == write_kind::remove && request.known == fate::unknown)
      note_maybe_removed(request.stream);
  }
}

std::set<stream_id> history::alive() const {
  std::set<stream_id> alive;
  for (const auto& [id, since] : created_)
    if (!removed_.contains(id) && !maybe_removed_.contains(id)
        && !may_expire(names_.at(id), id))
      alive.insert(id);
  return alive;
}

std::uint64_t history::end(const std::string& name) const {
  std::uint64_t end = 0;
  for (const auto& request : requests_)
    if (request.stream == name && request.id != stream_id{}
        && !removed_.contains(request.id))
      end = std::max(end, raw(request.first) + request.payloads.size());
  return end;
}

bool history::may_be(write_kind kind, const std::string& name,
                     sequence before, stream_id id) const {
  return std::any_of(
    requests_.begin(), requests_.end(), [&](const auto& request) {
      return request.kind == kind && may_concern(request, name, id)
             && request.before >= before;
    });
}

bool history::may_be_closed(const std::string& name) const {
  return std::any_of(
    requests_.begin(), requests_.end(), [&](const auto& request) {
      return request.stream == name && request.known != fate::refused
             && (request.closes || request.kind == write_kind::close);
    });
}

std::set<std::string> history::names_behind(const std::string& name) const {
  std::set<std::string> behind{name};
  for (auto grows = true; std::exchange(grows, false);)
    for (const auto& request : requests_)
      if (!request.source.empty() && request.known != fate::refused
          && behind.contains(request.stream))
        grows = behind.insert(request.source).second || grows;
  return behind;
}

bool history::may_lose(const std::string& name, sequence before,
                       stream_id id) const {
  const auto behind = names_behind(name);
  return std::any_of(behind.begin(), behind.end(), [&](const auto& each) {
    const auto which = each == name ? id : stream_id{};
    return may_be(write_kind::truncate, each, before, which)
           || !bounds(each, which).empty();
  });
}

} // namespace torpor::test
