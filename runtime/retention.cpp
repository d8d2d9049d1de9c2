// SPDX-License-Identifier: Apache-2.0
#include "runtime/retention.hpp"

#include <algorithm>
#include <limits>
#include <span>

namespace torpor {

namespace {

/// A run ends at this part of what may stay.
constexpr std::uint64_t runs_per_bound = 16;
/// More runs than that are not begun: a policy was changed.
constexpr std::size_t runs_max = 64;

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// A policy's number, if it has one, or else the rule's.
std::uint64_t merged(std::uint64_t own, std::uint64_t rule) {
  const auto value = own != 0 ? own : rule;
  return value == retention_policy::unlimited ? 0 : value;
}

retention_policy merged(const retention_policy& own,
                        const retention_policy& rule) {
  return {merged(own.age_ms, rule.age_ms), merged(own.bytes, rule.bytes),
          merged(own.entries, rule.entries), merged(own.ttl_ms, rule.ttl_ms),
          own.expires_ms};
}

/// That time and so much later, without running over.
std::int64_t later(std::int64_t time_ms, std::uint64_t span_ms) {
  const auto room = static_cast<std::uint64_t>(never)
                    - static_cast<std::uint64_t>(std::max<std::int64_t>(
                      time_ms, 0));
  return span_ms >= room ? never
                         : time_ms + static_cast<std::int64_t>(span_ms);
}

/// When the stream was last used.
std::int64_t used_ms(const stream_record& record) {
  auto used = record.last_ms;
  if (record.settings)
    used = std::max({used, record.settings->touched_ms,
                     record.settings->seen_ms});
  return used;
}

const std::vector<retained_run>& runs_of(const stream_record& record) {
  static const std::vector<retained_run> none;
  return record.settings ? record.settings->runs : none;
}

/// Time of a run's newest entry. Entries that were not counted, for want of a
/// policy then, belong to the last run.
std::int64_t end_ms(const stream_record& record, std::size_t run) {
  const auto& runs = runs_of(record);
  return run + 1 < runs.size() ? runs[run].last_ms : record.last_ms;
}

std::uint64_t share(std::uint64_t bound) {
  return std::max<std::uint64_t>(bound / runs_per_bound, 1);
}

sequence cut_by_age(const stream_record& record, const retention_policy& keep,
                    std::int64_t now_ms) {
  if (keep.age_ms == 0)
    return record.first;
  const auto& runs = runs_of(record);
  // What nobody has counted goes as one.
  const auto count = std::max<std::size_t>(runs.size(), 1);
  std::size_t old = 0;
  while (old < count && later(end_ms(record, old), keep.age_ms) <= now_ms)
    ++old;
  if (old == 0)
    return record.first;
  return old < runs.size() ? runs[old].first : record.next;
}

/// Of a run that is much larger than others, the oldest entries that have so
/// many bytes, if all are equally large.
sequence cut_inside(sequence first, std::uint64_t entries, std::uint64_t bytes,
                    std::uint64_t too_many) {
  const auto gone = static_cast<double>(entries)
                    * (static_cast<double>(too_many)
                       / static_cast<double>(bytes));
  return first + std::min(entries, static_cast<std::uint64_t>(gone) + 1);
}

sequence cut_by_bytes(const stream_record& record, const retention_policy& keep,
                      const ahead& coming) {
  if (keep.bytes == 0)
    return record.first;
  auto runs = std::span{runs_of(record)};
  const retained_run all{record.first, 0, 0, record.kept_bytes};
  if (runs.empty()) // Nobody has counted them.
    runs = {&all, 1};
  auto bytes = coming.bytes;
  for (const auto& run : runs)
    bytes += run.bytes;
  auto from = record.first;
  for (std::size_t i = 0; i < runs.size() && bytes > keep.bytes; ++i) {
    const auto& run = runs[i];
    const auto end = i + 1 < runs.size() ? runs[i + 1].first : record.next;
    const auto too_many = bytes - keep.bytes;
    from = end;
    if (too_many < run.bytes && run.bytes > 2 * share(keep.bytes))
      from = cut_inside(run.first, raw(end) - raw(run.first), run.bytes,
                        too_many);
    bytes -= run.bytes;
  }
  // The newest entry stays.
  if (from == record.next && coming.next == record.next)
    from = sequence{raw(from) - 1};
  return std::max(from, record.first);
}

/// Begins a run when the last one has enough.
bool is_full(const retained_run& run, const retention_policy& keep,
             std::int64_t time_ms) {
  return (keep.bytes != 0 && run.bytes >= share(keep.bytes))
         || (keep.age_ms != 0
             && time_ms >= later(run.first_ms, share(keep.age_ms)));
}

} // namespace

retention_rules::retention_rules(
  const std::map<std::string, retention_rule>& rules) {
  for (const auto& [name, rule] : rules)
    rules_.emplace(rule.prefix.value_or(name), rule.keep);
}

retention_policy retention_rules::of(std::string_view name) const {
  // Prefixes of a name come before it, the longest last. What lies between them
  // tells how much a prefix can have at most.
  for (auto wanted = name;;) {
    auto rule = rules_.upper_bound(wanted);
    if (rule == rules_.begin())
      return {};
    --rule;
    if (name.starts_with(rule->first))
      return merged({}, rule->second);
    const auto& other = rule->first;
    const auto same = std::mismatch(name.begin(), name.end(), other.begin(),
                                    other.end());
    wanted = name.substr(
      0, static_cast<std::size_t>(same.first - name.begin()));
  }
}

retention_policy retention_rules::of(std::string_view name,
                                     const retention_policy& own) const {
  return merged(own, rules_.empty() ? retention_policy{} : of(name));
}

retention_policy retention_rules::of(const stream_record& record) const {
  return of(record.name,
            record.settings ? record.settings->keep : retention_policy{});
}

stream_settings& settings_of(stream_record& record) {
  if (!record.settings)
    record.settings = std::make_unique<stream_settings>();
  return *record.settings;
}

void count_entries(stream_record& record, const retention_policy& keep,
                   const block_view& block, std::int64_t before_ms) {
  if (keep.age_ms == 0 && keep.bytes == 0) {
    // Else a later bound would take what was counted for all there is.
    if (record.settings)
      record.settings->runs.clear();
    return;
  }
  auto& runs = settings_of(record).runs;
  if (runs.empty() && raw(record.first) < raw(block.first))
    runs.push_back({record.first, before_ms, before_ms,
                    record.kept_bytes - std::min<std::uint64_t>(
                      record.kept_bytes, block.entry_bytes)});
  if (!runs.empty())
    runs.back().last_ms = std::max(runs.back().last_ms, before_ms);
  if (runs.empty()
      || (is_full(runs.back(), keep, block.last_ms) && runs.size() < runs_max))
    runs.push_back({block.first, block.first_ms, block.last_ms, 0});
  runs.back().last_ms = block.last_ms;
  runs.back().bytes += block.entry_bytes;
}

void forget_entries(stream_record& record) {
  if (!record.settings || record.settings->runs.empty())
    return;
  auto& runs = record.settings->runs;
  if (record.first == record.next)
    return runs.clear();
  const auto behind = std::upper_bound(
    runs.begin(), runs.end(), record.first,
    [](sequence first, const retained_run& run) {
      return raw(first) < raw(run.first);
    });
  if (behind == runs.begin())
    return;
  const auto kept = behind - 1; // The run with the first entry.
  if (raw(kept->first) < raw(record.first)) {
    const auto end = raw(behind != runs.end() ? behind->first : record.next);
    kept->bytes = bytes_left(kept->bytes, end - raw(record.first),
                             end - raw(kept->first));
    kept->first = record.first;
  }
  runs.erase(runs.begin(), kept);
}

std::optional<sequence> cut(const stream_record& record,
                            const retention_policy& keep, std::int64_t now_ms,
                            const ahead& coming) {
  auto from = record.first;
  if (keep.entries != 0
      && raw(coming.next) - raw(record.first) > keep.entries)
    from = sequence{raw(coming.next) - keep.entries};
  if (record.first != record.next)
    from = std::max({from, cut_by_age(record, keep, now_ms),
                     cut_by_bytes(record, keep, coming)});
  return from != record.first ? std::optional{from} : std::nullopt;
}

bool expired(const stream_record& record, const retention_policy& keep,
             std::int64_t now_ms) {
  if (keep.expires_ms != 0 && keep.expires_ms <= now_ms)
    return true;
  const auto used = used_ms(record);
  return keep.ttl_ms != 0 && used != 0 && later(used, keep.ttl_ms) <= now_ms;
}

std::int64_t next_review(const stream_record& record,
                         const retention_policy& keep) {
  // Whether forks still need it is looked at once more after each opening.
  if (record.settings && record.settings->buried)
    return std::max<std::int64_t>(record.settings->touched_ms, 1);
  auto next = never;
  if (keep.expires_ms != 0)
    next = std::min(next, keep.expires_ms);
  if (const auto used = used_ms(record); keep.ttl_ms != 0 && used != 0)
    next = std::min(next, later(used, keep.ttl_ms));
  if (keep.age_ms != 0 && record.first != record.next)
    next = std::min(next, later(end_ms(record, 0), keep.age_ms));
  return next == never ? 0 : std::max<std::int64_t>(next, 1);
}

} // namespace torpor
