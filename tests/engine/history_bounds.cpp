// SPDX-License-Identifier: Apache-2.0
// The part of history that knows what may go by itself.
#include "tests/engine/history.hpp"
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor::test {

namespace {

constexpr std::uint64_t hour_ms = 3'600'000; ///< Between reviews, at most.

constexpr auto ms_between = [](std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(to - from, 0));
};

bool has_bound(const retention_policy& keep) {
  return keep != retention_policy{};
}

/// What entries take in a block, at most.
std::uint64_t stored_bytes_max(const std::vector<std::string>& payloads) {
  constexpr std::uint64_t head_bytes = 12; // Its length and its time.
  constexpr std::uint64_t properties_bytes = 32;
  std::uint64_t bytes = 0;
  for (const auto& payload : payloads) {
    const auto from = origin_of(payload);
    const auto bare = properties_of(from.tag, from.entry).empty();
    bytes += payload.size() + head_bytes + (bare ? 0 : properties_bytes);
  }
  return bytes;
}

/// Each number of a policy, or else of a rule.
retention_policy merged(retention_policy own, const retention_policy& rule) {
  const auto merge = [](std::uint64_t& number, std::uint64_t other) {
    if (number == 0)
      number = other;
  };
  merge(own.age_ms, rule.age_ms);
  merge(own.bytes, rule.bytes);
  merge(own.entries, rule.entries);
  merge(own.ttl_ms, rule.ttl_ms);
  return own;
}

/// Entries are counted and go in runs of that part of a bound.
std::uint64_t run_bytes(const retention_policy& keep) {
  return std::max<std::uint64_t>(keep.bytes / 16, 1);
}

} // namespace

/// All that may ever have held: what one of them deleted stays deleted.
std::vector<history::bound> history::bounds(const std::string& name,
                                            stream_id id) const {
  std::vector<bound> all;
  for (const auto& [prefix, keep] : rules_)
    if (name.starts_with(prefix))
      all.push_back({keep, 0});
  for (const auto& request : requests_)
    if (may_concern(request, name, id) && has_bound(request.keep))
      all.push_back({request.keep, request.known == fate::durable
                                     ? request.answered_at
                                     : ~std::uint64_t{0}});
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
  return std::any_of(bounded.begin(), bounded.end(), [&](const auto& each) {
    const auto& keep = each.keep;
    return (keep.expires_ms != 0 && keep.expires_ms <= latest_ms_)
           || (keep.ttl_ms != 0
               && ms_between(used_ms, latest_ms_) >= keep.ttl_ms);
  });
}

/// The request that put an entry there, if somebody was told of it.
std::optional<std::uint64_t> history::find_entry(stream_id id,
                                                 std::uint64_t at) const {
  if (const auto all = durable_.find(id); all != durable_.end())
    for (const auto tag : all->second)
      if (const auto first = raw(requests_[tag].first);
          first <= at && at < first + requests_[tag].payloads.size())
        return tag;
  const auto seen = seen_.find(id);
  if (seen == seen_.end() || !seen->second.contains(at))
    return {};
  const auto from = origin_of(seen->second.at(at).payload);
  return from.known && from.tag < size() ? std::optional{from.tag}
                                         : std::nullopt;
}

/// What all requests have that can have travelled in one block with that one:
/// each was sent before the other was on the disk.
std::uint64_t history::block_bytes_max(std::uint64_t tag) const {
  const auto is_over = [&](std::uint64_t one, std::uint64_t other) {
    return requests_[one].over_at != 0 && requests_[one].over_at <= other;
  };
  std::uint64_t bytes = 0;
  for (std::uint64_t other = 0; other < size(); ++other) {
    const auto& request = requests_[other];
    if (request.stream == requests_[tag].stream
        && request.known != fate::refused && !is_over(tag, other)
        && !is_over(other, tag))
      bytes += stored_bytes_max(request.payloads);
  }
  return bytes;
}

/// Whether what stays and what went last were more than a bound on bytes
/// allows. What goes at once is a run: up to a 16th, and the block that filled
/// it. What came before the bound may have been counted as one.
bool history::may_exceed(const found_stream& found,
                         const std::vector<bound>& all) const {
  std::uint64_t ever = 0;
  for (const auto& request : requests_)
    if (request.stream == found.name)
      ever += stored_bytes_max(request.payloads);
  const auto last = find_entry(found.id, raw(found.first) - 1);
  auto some = stored_bytes_max(found.payloads);
  if (last)
    some += block_bytes_max(*last);
  std::uint64_t run = 0;
  for (const auto& each : all)
    run = std::max(run, run_bytes(each.keep));
  return std::any_of(all.begin(), all.end(), [&](const auto& each) {
    const auto counted = last && each.since <= *last;
    return each.keep.bytes != 0
           && (counted ? std::min(some + run, ever) : ever) > each.keep.bytes;
  });
}

/// Whether a bound can have taken what came before a stream's first entry.
bool history::is_retained(const found_stream& found) const {
  // What a fork inherits goes by its source's bounds.
  if (found.origin.source != stream_id{} && found.first <= found.origin.at)
    return false;
  const auto next = raw(found.first) + found.payloads.size();
  auto oldest_ms = latest_ms_;
  for (const auto& request : requests_)
    if (request.stream == found.name && !request.payloads.empty())
      oldest_ms = std::min(oldest_ms, request.since_ms);
  if (raw(found.first) > 0)
    if (const auto last = find_entry(found.id, raw(found.first) - 1))
      oldest_ms = requests_[*last].since_ms;
  const auto all = bounds(found.name, found.id);
  return may_exceed(found, all)
         || std::any_of(all.begin(), all.end(), [&](const auto& each) {
              const auto& keep = each.keep;
              return (keep.entries != 0
                      && raw(found.first) + keep.entries <= next)
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

/// What the store's rules say of a name.
retention_policy history::rule_of(const std::string& name) const {
  for (const auto& [prefix, keep] : rules_) // At most one fits.
    if (name.starts_with(prefix))
      return keep;
  return {};
}

/// Streams whose newest policy is acknowledged, and nothing came behind it that
/// may have replaced it; and those that never had one.
std::map<stream_id, history::bound> history::bounded() const {
  std::map<stream_id, bound> all;
  for (const auto& [id, since] : created_)
    all[id] = {};
  for (const auto& request : requests_) {
    const auto sets = request.kind == write_kind::retention
                      || (request.kind == write_kind::create
                          && has_bound(request.keep));
    if (!sets || request.known == fate::refused)
      continue;
    if (request.known == fate::durable)
      all[request.id] = {request.keep, request.answered_at};
    else
      std::erase_if(all, [&](const auto& each) {
        return names_.at(each.first) == request.stream;
      });
  }
  for (auto& [id, by] : all)
    by.keep = merged(by.keep, rule_of(names_.at(id)));
  std::erase_if(all,
                [](const auto& each) { return !has_bound(each.second.keep); });
  return all;
}

/// Whether a stream's own entries have more than a bound on bytes allows. Of
/// the oldest run a part may have gone that was counted as large as the rest,
/// and what came before the bound was counted like that as a whole.
bool history::exceeds(const found_stream& found, const bound& by) const {
  if (by.keep.bytes == 0)
    return false;
  std::uint64_t block = 0;
  std::uint64_t bytes = 0;
  const auto own = std::max(found.first, found.origin.at);
  for (auto i = raw(own) - raw(found.first); i < found.payloads.size(); ++i) {
    const auto tag = origin_of(found.payloads[i]).tag;
    if (tag < by.since)
      return false;
    bytes += found.payloads[i].size();
    block = std::max(block, block_bytes_max(tag));
  }
  return bytes > by.keep.bytes + run_bytes(by.keep) + block;
}

std::string history::judge_excess(const found_stream& found, const bound& by,
                                  std::int64_t used_ms) const {
  const auto& keep = by.keep;
  const auto wrong = [&](std::string_view what) {
    return fmt::format("stream '{}' ({}) at {} ms, used at {} ms: {}",
                       found.name, raw(found.id), now_ms_, used_ms, what);
  };
  const auto is_over = [&](std::int64_t from_ms, std::uint64_t span_ms) {
    return span_ms != 0 && ms_between(from_ms, now_ms_) >= span_ms + hour_ms;
  };
  const auto next = found.first + found.payloads.size();
  const auto own = raw(next) - raw(std::max(found.first, found.origin.at));
  if (keep.expires_ms != 0 && keep.expires_ms <= now_ms_)
    return wrong(fmt::format("it ended at {} ms", keep.expires_ms));
  if (is_over(used_ms, keep.ttl_ms))
    return wrong(fmt::format("it has {} ms to live", keep.ttl_ms));
  if (keep.entries != 0 && own > keep.entries)
    return wrong(fmt::format("it keeps {} entries, not {}", own, keep.entries));
  // What is older than the newest is kept for as long as a run lasts.
  if (own > 0 && !found.times.empty()
      && is_over(found.times.back(), keep.age_ms + keep.age_ms / 16))
    return wrong(fmt::format("all is older than {} ms", keep.age_ms));
  if (exceeds(found, by))
    return wrong(fmt::format("it has more than {} bytes", keep.bytes));
  return {};
}

} // namespace torpor::test
