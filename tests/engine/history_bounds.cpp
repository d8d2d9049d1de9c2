// SPDX-License-Identifier: Apache-2.0
// The part of history that knows what may go by itself.
#include "tests/engine/history.hpp"

#include <algorithm>

namespace torpor::test {

namespace {

constexpr auto ms_between = [](std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(to - from, 0));
};

bool has_bound(const retention_policy& keep) {
  return keep != retention_policy{};
}

} // namespace

/// All that may ever have held: what one of them deleted stays deleted.
std::vector<retention_policy> history::bounds(const std::string& name,
                                              stream_id id) const {
  std::vector<retention_policy> all;
  for (const auto& [prefix, keep] : rules_)
    if (name.starts_with(prefix))
      all.push_back(keep);
  for (const auto& request : requests_)
    if (may_concern(request, name, id) && has_bound(request.keep))
      all.push_back(request.keep);
  return all;
}

/// It can be gone when its date is over, or nobody has used it for so long:
/// what was acknowledged for one stream renewed it; of a mere name nobody
/// knows.
bool history::may_expire(const std::string& name, stream_id id,
                         std::uint64_t trusted) const {
  const auto bounded = bounds(name, id);
  if (bounded.empty())
    return false;
  auto first_ms = latest_ms_;
  std::int64_t used_ms = 0;
  for (const auto& request : requests_) {
    if (request.stream != name || request.known == fate::refused)
      continue;
    first_ms = std::min(first_ms, request.since_ms);
    // To make a stream is no use of it, unless it gets a time to live.
    const auto renews = !request.payloads.empty() || request.keep.ttl_ms != 0
                        || request.kind == write_kind::retention;
    if (renews && request.known == fate::durable && request.id == id
        && request.answered_at <= trusted)
      used_ms = std::max(used_ms, request.since_ms);
  }
  if (used_ms == 0)
    used_ms = first_ms;
  return std::any_of(bounded.begin(), bounded.end(), [&](const auto& keep) {
    return (keep.expires_ms != 0 && keep.expires_ms <= latest_ms_)
           || (keep.ttl_ms != 0
               && ms_between(used_ms, latest_ms_) >= keep.ttl_ms);
  });
}

/// The request that put an entry there, if it is known.
const history::write_request* history::find_entry(stream_id id,
                                                  std::uint64_t at) const {
  const auto all = durable_.find(id);
  if (all == durable_.end())
    return nullptr;
  for (const auto tag : all->second) {
    const auto& request = requests_[tag];
    if (raw(request.first) <= at
        && at < raw(request.first) + request.payloads.size())
      return &request;
  }
  return nullptr;
}

/// Whether a bound can have taken what came before a stream's first entry.
bool history::is_retained(const found_stream& found) const {
  const auto next = raw(found.first) + found.payloads.size();
  std::uint64_t bytes = 0;
  auto oldest_ms = latest_ms_;
  for (const auto& request : requests_) {
    if (request.stream != found.name)
      continue;
    for (const auto& payload : request.payloads)
      bytes += payload.size() + 64; // With all that is stored beside it.
    if (!request.payloads.empty())
      oldest_ms = std::min(oldest_ms, request.since_ms);
  }
  if (raw(found.first) > 0)
    if (const auto* last = find_entry(found.id, raw(found.first) - 1))
      oldest_ms = last->since_ms;
  const auto all = bounds(found.name, found.id);
  return std::any_of(all.begin(), all.end(), [&](const auto& keep) {
    return (keep.entries != 0 && raw(found.first) + keep.entries <= next)
           || (keep.bytes != 0 && bytes > keep.bytes)
           || (keep.age_ms != 0
               && ms_between(oldest_ms, latest_ms_) >= keep.age_ms);
  });
}

bool history::may_be_gone(const std::string& name, stream_id id,
                          std::uint64_t trusted) const {
  return removed_.contains(id) || maybe_removed_.contains(id)
         || may_be(write_kind::remove, name, {}, id)
         || may_expire(name, id, trusted);
}

bool history::may_be_deleted(const stream_info& stream, sequence at) const {
  if (at >= stream.first)
    return false;
  const auto known = truncated_.find(stream.id);
  return (known != truncated_.end() && at < known->second)
         || may_lose(stream.name, at + 1, stream.id);
}

/// Streams whose newest policy is acknowledged, and nothing came behind it that
/// may have replaced it.
std::map<stream_id, retention_policy> history::bounded() const {
  std::map<stream_id, retention_policy> all;
  for (const auto& request : requests_) {
    const auto sets = request.kind == write_kind::retention
                      || (request.kind == write_kind::create
                          && has_bound(request.keep));
    if (!sets || request.known == fate::refused)
      continue;
    if (request.known == fate::durable)
      all[request.id] = request.keep;
    else
      std::erase_if(all, [&](const auto& each) {
        return names_.at(each.first) == request.stream;
      });
  }
  return all;
}

} // namespace torpor::test
